"""Asking together: fewer questions, and no answer that is older than its question."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from functools import partial

import pytest

from control_plane.base.batches import Lane, Reads, Recent, Shared
from control_plane.base.faults import Away, Rejected
from tests.support.stack import until

MANY = 50
WHOSE: ContextVar[str] = ContextVar("WHOSE")


class Shelf:
    """Something to read, as slowly as the test lets it."""

    def __init__(self) -> None:
        self.value = 1
        self.reads: list[list[str]] = []
        self.go = asyncio.Event()

    async def read(self, names: Sequence[str]) -> dict[str, int]:
        self.reads.append(list(names))
        value = self.value
        await self.go.wait()
        return {name: value for name in names if name != "missing"}

    async def one(self, name: str) -> int:
        return (await self.read([name]))[name]


async def _begun(shelf: Shelf, reads: int) -> None:
    async def begun() -> bool:
        return len(shelf.reads) >= reads

    await until(begun, pause=0.0)


async def test_many_reads_are_two() -> None:
    shelf = Shelf()
    reads = Reads(shelf.read)
    first = asyncio.create_task(reads.get("a"))
    await _begun(shelf, 1)
    shelf.value = 2
    rest = [asyncio.create_task(reads.get(f"n{i % 10}")) for i in range(MANY)]
    missing = asyncio.create_task(reads.get("missing"))
    await asyncio.sleep(0)
    shelf.go.set()

    assert await first == 1
    assert await asyncio.gather(*rest) == [2] * MANY
    assert await missing is None
    assert shelf.reads == [["a"], [*(f"n{i}" for i in range(10)), "missing"]]


async def test_who_asks_during_an_answer_gets_a_newer_one() -> None:
    shelf = Shelf()
    shared = Shared(shelf.one)
    first = asyncio.create_task(shared.get("a"))
    await _begun(shelf, 1)
    shelf.value = 2
    rest = [asyncio.create_task(shared.get("a")) for _ in range(MANY)]
    another = asyncio.create_task(shared.get("b"))
    await _begun(shelf, 2)
    shelf.go.set()

    assert await first == 1
    assert await asyncio.gather(*rest) == [2] * MANY
    assert await another == 2
    assert shelf.reads == [["a"], ["b"], ["a"]]


async def test_who_goes_away_takes_no_answer_along() -> None:
    shelf = Shelf()
    shared = Shared(shelf.one)
    asks = [asyncio.create_task(shared.get("a")) for _ in range(2)]
    await _begun(shelf, 1)
    asks[0].cancel()
    await asyncio.sleep(0)
    shelf.go.set()

    assert await asks[1] == 1
    assert asks[0].cancelled()
    assert await shared.get("a") == 1


async def test_a_failure_is_everybodys_once() -> None:
    failing = True

    async def one(name: str) -> str:
        if failing:
            raise Away("Postgres")
        return name

    shared = Shared(one)
    found = await asyncio.gather(
        *(shared.get("a") for _ in range(3)), return_exceptions=True
    )
    assert [type(one) for one in found] == [Away] * 3
    failing = False
    assert await shared.get("a") == "a"


async def test_one_bad_item_spoils_nobody_elses() -> None:
    async def run(items: Sequence[str]) -> Sequence[str]:
        if "bad" in items:
            raise Rejected(str(len(items)))
        return [item.upper() for item in items]

    lane = Lane(run, 10, of_one=(Rejected,))
    found = await asyncio.gather(
        *(lane.submit(item) for item in ("a", "bad", "b")), return_exceptions=True
    )
    assert found[::2] == ["A", "B"]
    assert isinstance(found[1], Rejected)


async def test_what_is_done_for_many_is_no_part_of_one_request() -> None:
    async def whose(items: Sequence[int]) -> list[str]:
        return [WHOSE.get() for _ in items]

    WHOSE.set("the process's")
    lane: Lane[int, str] = Lane(whose, MANY)

    async def request() -> str:
        WHOSE.set("its own")
        return await lane.submit(1)

    assert await asyncio.create_task(request()) == "the process's"


NEVER = float("inf")


async def _one_made(shelf: Shelf, fresh: float, at_most: float) -> Recent[int]:
    recent = Recent(partial(shelf.one, "a"), fresh, at_most)
    shelf.go.set()
    assert await recent.get() == 1
    shelf.value = 2
    shelf.go.clear()
    return recent


async def test_what_is_fresh_enough_is_not_made_again() -> None:
    shelf = Shelf()
    recent = await _one_made(shelf, fresh=NEVER, at_most=NEVER)
    assert await recent.get() == 1
    assert len(shelf.reads) == 1


async def test_nobody_waits_while_it_is_made_again() -> None:
    shelf = Shelf()
    recent = await _one_made(shelf, fresh=0.0, at_most=NEVER)
    assert [await recent.get() for _ in range(MANY)] == [1] * MANY
    await _begun(shelf, 2)
    assert [await recent.get() for _ in range(MANY)] == [1] * MANY
    assert len(shelf.reads) == 2
    shelf.go.set()

    async def new() -> bool:
        return await recent.get() == 2

    await until(new, pause=0.0)


async def test_who_finds_it_too_old_waits() -> None:
    shelf = Shelf()
    recent = await _one_made(shelf, fresh=0.0, at_most=0.0)
    waiting = [asyncio.create_task(recent.get()) for _ in range(MANY)]
    await _begun(shelf, 2)
    shelf.go.set()
    assert await asyncio.gather(*waiting) == [2] * MANY


async def test_what_could_not_be_made_again_is_told_to_who_waits_for_it() -> None:
    told = iter([1])

    async def make() -> int:
        try:
            return next(told)
        except StopIteration:
            raise Away("the store") from None

    recent = Recent(make, 0.0, NEVER)
    assert await recent.get() == 1
    assert await recent.get() == 1
    await asyncio.sleep(0)
    assert await recent.get() == 1
    recent = Recent(make, 0.0, NEVER)
    with pytest.raises(Away):
        await recent.get()
