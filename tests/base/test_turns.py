"""One at a time, and first who began first."""

import asyncio

from control_plane.base.turns import Turn, Turns


async def _works(turn: Turn, name: str, pieces: int, done: list[str]) -> None:
    turn.begin()
    for _ in range(pieces):
        async with turn:
            await asyncio.sleep(0)
            done.append(name)


async def test_who_began_first_has_the_next_piece_too() -> None:
    turns, done = Turns(), list[str]()
    await asyncio.gather(*(_works(turns.of(name), name, 3, done) for name in "abc"))
    assert "".join(done) == "aaabbbccc"


async def test_who_begins_again_is_the_last() -> None:
    turns, done = Turns(), list[str]()
    work = [_works(turns.of(name), name, 2, done) for name in "aba"]
    await asyncio.gather(*work)
    assert "".join(done[-2:]) == "aa"


async def test_one_goes_on_at_a_time() -> None:
    turns, inside = Turns(), 0

    async def work(turn: Turn) -> None:
        nonlocal inside
        async with turn:
            inside += 1
            await asyncio.sleep(0)
            assert inside == 1
            inside -= 1

    await asyncio.gather(*(work(turns.of(name)) for name in "abcdef"))


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    turns = Turns()
    done: list[str] = []
    async with turns.of("a"):
        waiting = [
            asyncio.create_task(_works(turns.of(name), name, 1, done)) for name in "bc"
        ]
        await asyncio.sleep(0)
        waiting[0].cancel()
    waiting[1].cancel()  # to whom it was just given
    await asyncio.wait(waiting)
    async with asyncio.timeout(10):
        await _works(turns.of("d"), "d", 1, done)
    assert done == ["d"]
