"""How an encoder's stream is judged."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.live.model.ingest import (
    EVERY,
    HOLD,
    RULES,
    SHOWN,
    Ingest,
    Problem,
    Sample,
    Segment,
    advice,
    changes,
    first,
    step,
)
from mediamtx.payloads import Intake


def intake(received: int | None, errors: int | None = 0, codec: str = "H264") -> Intake:
    return Intake(received, errors, codec, "High", 1280, 720)


def sample(
    at: float, received: int | None = None, source: str = "a", errors: int | None = 0
) -> Sample:
    """Of an encoder that sends 2 Mbit/s."""
    got = round(at * 250_000) if received is None else received
    return Sample(at, source, intake(got, errors))


def segment(at: float, key_frames: float = 2.0, fps: float = 30.0) -> Segment:
    return Segment(at, 0.0, (key_frames,) * 3, fps)


def after(key_frames: list[float]) -> list[Ingest]:
    """Each is what the newest segments told, for one measure."""
    found = [first(sample(0.0))]
    for number, seconds in enumerate(key_frames, 1):
        at = number * EVERY
        found.append(step(found[-1].shown(segment(at, seconds)), sample(at)))
    return found


def test_a_healthy_encoder_gets_no_advice() -> None:
    health = after([2.0] * 10)[-1].health
    assert health.problems == ()
    assert health.bitrate == 2_000_000
    assert (health.fps, health.key_frame_seconds) == (30.0, 2.0)
    assert (health.codec, health.profile) == ("H264", "High")
    assert advice(health) == []


def test_rare_key_frames_lead_to_advice_at_once() -> None:
    """Several segments say it, and the next look at any is later than the hold."""
    states = after([8.0] * 4)
    assert [bool(one.health.problems) for one in states] == [False] + [True] * 4
    assert advice(states[-1].health) == [
        "No key frame for 8 s: set your encoder's key-frame interval to 1–2 s."  # noqa: RUF001
    ]


def test_no_newer_segment_is_no_key_frame() -> None:
    state = first(sample(0.0))
    for number in range(1, 5):
        at = number * EVERY
        state = step(state.shown(Segment(at, at, (1.0, 1.0))), sample(at))
    [said] = advice(state.health)
    assert said.startswith("No key frame for 16 s:")


@pytest.mark.parametrize("codec", ["", "VP8"])
def test_where_players_see_no_picture_key_frames_do_not_matter(codec: str) -> None:
    state = first(Sample(0.0, "a", intake(0, codec=codec)))
    state = step(
        state.shown(segment(5.0, 8.0)), Sample(5.0, "a", intake(1, codec=codec))
    )
    assert state.health.key_frame_seconds is None


def test_it_is_over_once_it_is_good_for_a_while() -> None:
    states = after([8.0] * 4 + [2.0] * 4)
    assert [bool(one.health.problems) for one in states[4:]] == [True] * 4 + [False]
    assert changes(states[7].health, states[8].health) == ([], ["key_frames"])


@given(st.lists(st.floats(4.01, 4.99), min_size=1, max_size=30), st.booleans())
def test_between_the_limits_nothing_changes(values: list[float], bad: bool) -> None:
    before = [8.0] * 4 if bad else [1.0] * 4
    problems = [one.health.problems for one in after(before + values)[4:]]
    assert set(problems) == {("key_frames",) if bad else ()}


@given(st.lists(st.floats(0.5, 20.0), max_size=60))
def test_nothing_is_told_twice_within_the_hold(values: list[float]) -> None:
    at = [
        now.health.at
        for before, now in pairwise(after(values))
        if now.health.problems and not before.health.problems
    ]
    assert all(b - a >= HOLD for a, b in pairwise(at))


@given(st.lists(st.floats(5.0, 30.0), min_size=4, max_size=10), st.floats(0.2, 4.0))
def test_what_lasts_is_always_told(bad: list[float], good: float) -> None:
    """Whatever was before."""
    assert after([*bad])[-1].health.problems == ("key_frames",)
    assert after([*bad, *[good] * 4])[-1].health.problems == ()


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 30.0),
            st.none() | st.integers(0, 10**9),
            st.sampled_from(["a", "b"]),
            st.none() | st.integers(0, 1000),
        ),
        max_size=40,
    )
)
def test_no_counter_of_a_node_gives_nonsense(
    told: list[tuple[float, int | None, str, int | None]],
) -> None:
    """Counted anew, another encoder, none at all."""
    at, state = 0.0, first(sample(0.0))
    for pause, received, source, errors in told:
        at += pause
        state = step(state, Sample(at, source, intake(received, errors)))
        assert (state.health.bitrate or 0) >= 0
        assert (state.health.errors_per_second or 0) >= 0
        assert set(state.health.problems) <= set(RULES)


def test_nothing_arrives() -> None:
    states = [first(sample(0.0))]
    for number in range(1, 6):
        states.append(step(states[-1], sample(number * EVERY, received=0)))
    assert states[-1].health.problems == ("nothing_arrives",)


def test_damaged_frames() -> None:
    states = [first(sample(0.0))]
    for number in range(1, 6):
        states.append(step(states[-1], sample(number * EVERY, errors=number * 8)))
    assert states[-1].health.problems == ("frames_in_error",)
    assert states[-1].health.errors_per_second == 2.0


@pytest.mark.parametrize(("codec", "found"), [("VP8", ("codec",)), ("", ())])
def test_what_players_cannot_show(codec: str, found: tuple[Problem, ...]) -> None:
    state = first(Sample(0.0, "a", intake(0, codec=codec)))
    for number in range(1, 5):
        at = number * EVERY
        state = step(state, Sample(at, "a", intake(number * 10**6, codec=codec)))
    assert state.health.problems == found


def test_another_encoder_is_measured_anew_and_what_was_wrong_has_to_be_mended() -> None:
    state = after([8.0] * 4)[-1]
    other = step(state, sample(21.0, received=0, source="b"))
    assert other.health.bitrate is None
    assert other.health.key_frame_seconds is None
    assert other.health.problems == ("key_frames",)


def test_an_old_segment_tells_nothing() -> None:
    state = step(first(sample(0.0)).shown(segment(0.0)), sample(SHOWN + 1))
    assert state.health.key_frame_seconds is None


def test_whoever_measures_from_now_on_knows_what_was_wrong() -> None:
    state = first(sample(0.0), ["key_frames"])
    assert state.health.problems == ("key_frames",)
