"""What goes wrong. Each fault lasts so many seconds and leaves all in order."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulator.node import Trouble
from tests.simulator.postgres import Said

if TYPE_CHECKING:
    from tests.simulator.world import World

Fault = Callable[["World", float], Coroutine[None, None, None]]

#: Shorter than what the lease, or a remembered look, is good for.
LONGEST = 6.0  # seconds


async def kill(world: "World", seconds: float) -> None:
    """One of our processes, as `kill -9` does; its parent starts another."""
    plane = world.chance.choice(world.planes)
    if plane.busy:
        return
    plane.busy = True
    plane.kill()
    await asyncio.sleep(min(seconds, world.chance.uniform(0.1, 4)))
    plane.start()
    plane.busy = False


async def kill_at_commit(world: "World", seconds: float) -> None:
    """Just when Postgres has taken what it wrote, and nobody has heard of it."""
    plane = world.chance.choice(world.planes)
    kind = world.chance.choice(("", "viewer.denied", "user.banned", "live.", "gift."))
    process = plane.process
    if plane.busy or process is None:
        return
    plane.busy = True
    taken = asyncio.Event()

    def look(said: Said) -> None:
        events = [one.split("|")[5] for one in said if one.startswith("event|")]
        if any(one.startswith(kind) for one in events):
            taken.set()

    world.server.at_commit[process] = look
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await taken.wait()
            plane.kill()
            await asyncio.sleep(0.5)
    del world.server.at_commit[process]
    if not process.alive:
        plane.start()
    plane.busy = False


async def stop(world: "World", seconds: float) -> None:
    """As at an update."""
    plane = world.chance.choice(world.planes)
    if plane.busy:
        return
    plane.busy = True
    await plane.stop()
    await asyncio.sleep(min(seconds, 0.5))
    plane.start()
    plane.busy = False


async def pause(world: "World", seconds: float) -> None:
    """A process stands still and does not know it."""
    plane = world.chance.choice(world.planes)
    process = plane.process
    if plane.busy or process is None:
        return
    plane.busy = True
    process.pause()
    await asyncio.sleep(seconds)
    process.go_on()
    plane.busy = False


async def node_dies(world: "World", seconds: float) -> None:
    node = world.some_node()
    if node.alive:
        node.kill()
        await asyncio.sleep(seconds)
        node.start()


async def node_hangs(world: "World", seconds: float) -> None:
    """Its API says nothing, and its streams go on."""
    await _cut_off(world.some_node().api.cut_off(None), seconds)


async def hooks_are_troubled(world: "World", seconds: float) -> None:
    node, chance = world.some_node(), world.chance.random
    node.trouble = Trouble(chance(), chance(), chance() * LONGEST)
    await asyncio.sleep(seconds)
    node.trouble = Trouble()


async def postgres_restarts(world: "World", seconds: float) -> None:
    wire = world.server.wire
    wire.refused = True
    world.server.cut_all()
    await asyncio.sleep(seconds / 2)
    wire.refused = False


async def postgres_is_cut_off(world: "World", seconds: float) -> None:
    """From one process, or from all."""
    chosen = world.chance.choice([None, *(p.process for p in world.planes)])
    await _cut_off(world.server.wire.cut_off(chosen), seconds)


async def postgres_is_slow(world: "World", seconds: float) -> None:
    """For one process: while what it began is open, others begin and commit."""
    slowed = world.server.wire.slowed
    process = world.chance.choice(world.planes).process
    slowed[process] = world.chance.uniform(50, 300)
    await asyncio.sleep(seconds)
    slowed.pop(process, None)


async def redis_is_away(world: "World", seconds: float) -> None:
    wire = world.valkey.wire
    if world.chance.random() < 0.5:
        await _cut_off(wire.cut_off(None), seconds)
        return
    wire.refused = True
    world.valkey.cut_all()
    await asyncio.sleep(seconds)
    wire.refused = False


async def receiver_fails(world: "World", seconds: float) -> None:
    receiver = world.chance.choice(world.receivers)
    receiver.mood = world.chance.choice(["fails", "asks to wait", "hangs", "is gone"])
    await asyncio.sleep(seconds)
    receiver.mood = "takes"


async def _cut_off(mend: Callable[[], None], seconds: float) -> None:
    await asyncio.sleep(seconds)
    mend()


FAULTS: tuple[Fault, ...] = (
    kill,
    kill_at_commit,
    stop,
    pause,
    node_dies,
    node_hangs,
    hooks_are_troubled,
    postgres_restarts,
    postgres_is_cut_off,
    postgres_is_slow,
    redis_is_away,
    receiver_fails,
)


@dataclass(frozen=True, slots=True)
class Planned:
    number: int
    kind: Fault
    at: float  # seconds from when trouble begins
    seconds: float

    def __str__(self) -> str:
        return f"{self.kind.__name__} at {self.at:.1f} s for {self.seconds:.1f} s"


def plan(seed: int, within: float) -> list[Planned]:
    """Some kinds of it, one now and then; all of it is over then. By a chance of its
    own: any of them may be left out."""
    chance = random.Random(f"what goes wrong in {seed}")  # noqa: S311
    kinds = [one for one in FAULTS if chance.random() < 0.5]
    every, at = chance.uniform(1.5, 6.0), 0.0
    planned: list[Planned] = []
    while kinds:
        at += chance.expovariate(1 / every)
        left = within - at
        if left <= 0.5:
            break
        kind, seconds = chance.choice(kinds), chance.uniform(0.5, LONGEST)
        planned.append(Planned(len(planned) + 1, kind, at, min(left, seconds)))
    return planned


async def chaos(world: "World", planned: Iterable[Planned], until: float) -> None:
    """As planned, and over then."""
    loop = world.loop
    began, running = loop.time(), list[asyncio.Task[None]]()
    for one in planned:
        await asyncio.sleep(began + one.at - loop.time())
        world.note("fault", f"{one.number}: {one}")
        running.append(asyncio.create_task(one.kind(world, one.seconds)))
    await asyncio.sleep(began + until - loop.time())
    await asyncio.gather(*running)
