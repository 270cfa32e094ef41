import asyncio
import contextlib
import time

from control_plane.base.faults import Away
from control_plane.base.tasks import Loop, stop


async def test_a_task_that_loses_a_cancellation_ends_all_the_same() -> None:
    lost: list[int] = []

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost:
                    raise
                lost.append(1)

    task = asyncio.create_task(stubborn())
    await asyncio.wait([task], timeout=0)
    async with asyncio.timeout(60.0):
        await stop([task])
    assert task.cancelled()


async def test_a_loop_goes_on_after_whatever_its_work_raises() -> None:
    raised: list[Exception] = [Away("gone"), ValueError("wrong password"), KeyError(1)]
    went_well = asyncio.Event()

    async def work() -> None:
        if raised:
            raise raised.pop()
        went_well.set()

    async with asyncio.timeout(60.0), Loop("trial", work, interval=0.0).running():
        await went_well.wait()


async def test_the_age_of_a_loop_grows_while_its_work_fails() -> None:
    turns = asyncio.Event()

    async def work() -> None:
        turns.set()
        raise Away("gone")

    loop = Loop("trial of age", work, interval=0.0)
    async with asyncio.timeout(60.0), loop.running():
        await turns.wait()
        since = time.monotonic()
        turns.clear()
        await turns.wait()
        age = loop.age
        assert age >= time.monotonic() - since


async def test_a_loop_goes_on_when_what_it_waits_for_is_cancelled() -> None:
    turns: list[int] = []
    went_well = asyncio.Event()

    async def work() -> None:
        turns.append(1)
        if len(turns) == 1:
            waited_for = asyncio.ensure_future(asyncio.Event().wait())
            waited_for.cancel()
            await waited_for
        went_well.set()

    async with asyncio.timeout(60.0), Loop("trial", work, interval=0.0).running():
        await went_well.wait()


async def test_a_loop_goes_on_after_a_group_of_tasks_that_failed() -> None:
    """Before Python 3.13 such a group leaves a cancellation behind."""
    turns: list[int] = []
    went_well = asyncio.Event()

    async def work() -> None:
        turns.append(1)
        if len(turns) == 1:
            async with asyncio.TaskGroup() as group:
                group.create_task(_fails())
        if len(turns) == 2:
            cancelled = asyncio.get_running_loop().create_future()
            cancelled.cancel()
            await cancelled
        went_well.set()

    async with asyncio.timeout(60.0), Loop("trial", work, interval=0.0).running():
        await went_well.wait()


async def _fails() -> None:
    raise Away("gone")


async def test_a_loop_waits_longer_after_a_failure() -> None:
    turns: list[float] = []
    enough = asyncio.Event()

    async def work() -> None:
        turns.append(asyncio.get_running_loop().time())
        if len(turns) == 2:
            enough.set()
        raise Away("gone")

    loop = Loop("trial", work, interval=0.0, after_failure=0.1)
    async with asyncio.timeout(60.0), loop.running():
        await enough.wait()
    assert turns[1] - turns[0] >= 0.1


async def test_lasting_work_that_goes_well_is_not_old() -> None:
    loop = Loop("trial", asyncio.Event().wait, interval=0.0)  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    before = time.monotonic()
    loop.goes_well()
    assert loop.age <= time.monotonic() - before


async def test_a_loop_ends_though_its_work_loses_the_cancellation() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    task = asyncio.create_task(Loop("trial", work, interval=3600.0).run())
    await begun.wait()
    task.cancel()
    async with asyncio.timeout(60.0):
        await task
