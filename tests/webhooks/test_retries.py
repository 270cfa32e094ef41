"""How long, and how often, something is tried again."""

from control_plane.webhooks.model import retries
from control_plane.webhooks.model.retries import Circuit, delay

HOUR = 3600.0  # seconds


def test_an_event_is_tried_for_more_than_72_hours() -> None:
    assert retries.GIVE_UP_AFTER.total_seconds() > 72 * HOUR
    waits = [delay(attempts, 0.0) for attempts in range(1, 100)]
    assert waits == sorted(waits)
    assert waits[0] <= 1.0
    assert waits[-1] <= 12 * HOUR


def test_waits_are_spread() -> None:
    assert delay(5, 0.0) < delay(5, 0.5) < delay(5, 1.0) <= 1.5 * delay(5, 0.0)


def test_one_failure_says_nothing_about_the_receiver() -> None:
    circuit = Circuit()
    for _ in range(retries.IN_A_ROW - 1):
        circuit.failed(100.0, 0.0)
    assert not circuit.tripped(100.0)
    circuit.failed(100.0, 0.0)
    assert circuit.tripped(100.0)
    first = circuit.pause(100.0)
    circuit.failed(100.0, 0.0)
    assert circuit.pause(100.0) > first > 0
    circuit.took()
    assert not circuit.tripped(100.0)
    assert circuit.pause(100.0) <= 0


def test_one_that_takes_others_is_not_away_when_it_asks_to_wait() -> None:
    circuit = Circuit()
    circuit.asked(100.0, 60.0)
    assert circuit.away(101.0, None)
    assert circuit.away(101.0, circuit.taken)
    before = circuit.taken
    circuit.took()
    assert not circuit.away(101.0, before)
    for _ in range(retries.IN_A_ROW):
        circuit.failed(101.0, 0.0)
    assert circuit.away(101.0, before)


def test_a_receiver_may_ask_for_a_day_at_most() -> None:
    circuit = Circuit()
    circuit.asked(100.0, 1e9)
    assert circuit.tripped(101.0)
    assert circuit.pause(100.0) == 24 * HOUR
    circuit.took()  # what was on its way already
    assert circuit.tripped(101.0)
    assert not circuit.tripped(101.0 + 24 * HOUR)
