"""A memory that is short in time and in size."""

from control_plane.base.brief import Brief


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_forgets_after_its_time() -> None:
    clock = Clock()
    brief: Brief[str, int] = Brief(5, clock)
    brief.put("a", 1, 10)
    clock.now += 9.9
    assert brief.get("a") == 1
    clock.now += 0.1
    assert brief.get("a") is None
    assert brief.get("never") is None


def test_it_keeps_the_newest_and_no_more() -> None:
    brief: Brief[int, int] = Brief(3, Clock())
    for number in range(1000):
        brief.put(number, number, 10)
        brief.put(0, 0, 10)
    assert [n for n in range(1000) if brief.get(n) is not None] == [0, 998, 999]
