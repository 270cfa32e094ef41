"""One process that runs one seed after the other, on servers of its own."""

import asyncio
import contextlib
import gc
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from tests.simulator.bugs import bug
from tests.simulator.postgres import Postgres
from tests.simulator.servers import Servers, servers
from tests.simulator.world import Try, World

SILENT = 50  # no log line is as grave


@dataclass(frozen=True)
class Result:
    """``trace``: the same wherever and whenever the seed is run."""

    seed: int
    trace: str
    seconds: float  # of virtual time
    events: int
    broken: list[str]
    faults: dict[int, str]  # by their numbers
    story: list[str]


Simulate = Callable[[Try], Result]


@contextlib.contextmanager
def simulator(wrong: str, *, story: bool = False) -> Iterator[Simulate]:
    """``wrong``: the name of a bug, or nothing."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(SILENT),
        cache_logger_on_first_use=True,
    )
    logging.disable()
    # What a killed process leaves behind cannot be closed in order.
    sys.unraisablehook = lambda _: None
    gc.disable()  # it would close what a killed process left, whenever it likes
    with tempfile.TemporaryDirectory(prefix="control-plane-") as name, bug(wrong):
        folder = Path(name)
        folder.chmod(0o711)  # Postgres can reach it when we are root
        with _opened(folder) as (found, postgres):
            gc.collect()
            gc.freeze()
            yield lambda tried: _one(tried, found, postgres, story=story)


def fewest(seed: int, wrong: str) -> Result:
    """With as few of its faults as still break a rule, leaving out one after the
    other."""
    with simulator(wrong) as simulate:
        found = simulate(Try(seed))
        for number in found.faults:
            left = frozenset(found.faults) - {number}
            fewer = simulate(Try(seed, left))
            found = fewer if fewer.broken else found
    return found


def _one(tried: Try, found: Servers, postgres: Postgres, *, story: bool) -> Result:
    world = World(tried, postgres, found, story=story)
    trace = world.run()
    seconds, oracle = world.loop.time() - world.began, world.oracle
    result = Result(
        seed=tried.seed,
        trace=trace,
        seconds=seconds,
        events=len(oracle.events),
        broken=oracle.broken,
        faults={one.number: str(one) for one in world.faults},
        story=world.story or [],
    )
    del world, oracle
    gc.collect()
    return result


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[tuple[Servers, Postgres]]:
    """The servers are watched by a loop of their own, which only runs to start and stop
    them."""
    with asyncio.Runner() as runner:
        opening = servers(folder)
        found = runner.run(_enter(opening))
        postgres = Postgres(found.url, found.admin, found.folder)
        postgres.open()
        try:
            yield found, postgres
        finally:
            postgres.close()
            runner.run(_leave(opening))


async def _enter(opening: contextlib.AbstractAsyncContextManager[Servers]) -> Servers:
    return await opening.__aenter__()


async def _leave(opening: contextlib.AbstractAsyncContextManager[Servers]) -> None:
    await opening.__aexit__(None, None, None)
