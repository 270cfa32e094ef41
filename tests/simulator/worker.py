"""One process that runs one seed after the other, on servers of its own."""

import asyncio
import contextlib
import gc
import logging
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from tests.simulator.bugs import bug
from tests.simulator.postgres import Postgres
from tests.simulator.servers import Servers, servers
from tests.simulator.world import World

SILENT = 50  # no log line is as grave


@dataclass(frozen=True)
class Result:
    """``trace``: the same wherever and whenever the seed is run."""

    seed: int
    trace: str
    seconds: float  # of virtual time
    events: int
    broken: list[str]
    story: list[str]


def run(seeds: Iterable[int], *, wrong: str, story: bool) -> Iterator[Result]:
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
            for seed in seeds:
                yield _one(seed, found, postgres, story=story)
                gc.collect()


def _one(seed: int, found: Servers, postgres: Postgres, *, story: bool) -> Result:
    world = World(seed, postgres, found, story=story)
    trace = world.run()
    seconds = world.loop.time() - world.began
    oracle = world.oracle
    return Result(
        seed, trace, seconds, len(oracle.events), oracle.broken, world.story or []
    )


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
