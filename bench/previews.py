"""What a live session's picture costs, and measuring how well it comes in.

A picture is made of the newest two seconds of 1280x720, as ffmpeg made it; beside it
the same ffmpeg that only starts. CPU time, all processes, medians; they take turns.
"""

import argparse
import asyncio
import resource
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable

import imageio_ffmpeg
import uvloop

from bench.nodes import live_sessions
from bench.rounds import settings
from bench.servers import stores
from control_plane.base.schema import migrate
from control_plane.live.model.ingest import EVERY
from control_plane.live.model.nodes import Node
from control_plane.live.model.sessions import LiveSession
from control_plane.live.service.measuring import Measuring
from control_plane.live.service.stills import Stills
from control_plane.live.store import sessions
from control_plane.live.store.ingest import IngestStore
from control_plane.wiring.node_config import configured_node
from control_plane.wiring.services import Services, services
from mediamtx.payloads import Intake, Publisher

SECONDS = 20  # between two pictures of a session
CLIP = """
    -hide_banner -loglevel error -f lavfi -i testsrc2=size=1280x720:rate=30 -t 2
    -c:v libx264 -preset veryfast -b:v 3M -g 60 -pix_fmt yuv420p
    -f mp4 -movflags frag_keyframe+empty_moov+default_base_moof pipe:1
"""


def _intake(received: int) -> Intake:
    return Intake(received, 0, "H264", "High", 1280, 720)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rotations", type=int, default=20)
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--ffmpeg", default=imageio_ffmpeg.get_ffmpeg_exe())
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_pictures(options.ffmpeg, _clip(), options.rotations))
        runner.run(_measures(options.sessions, options.rotations))


def _clip() -> bytes:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), *CLIP.split()]
    return subprocess.run(command, check=True, capture_output=True).stdout


async def _pictures(ffmpeg: str, clip: bytes, rotations: int) -> None:
    stills = Stills(ffmpeg)
    sizes: list[int] = []

    async def picture() -> None:
        made = await stills.of(clip)
        sizes.append(len(made or b""))

    async def nothing() -> None:
        process = await asyncio.create_subprocess_exec(
            ffmpeg, "-version", stdout=subprocess.DEVNULL
        )
        await process.wait()

    await picture()
    await nothing()
    ours, others = await _turns(picture, nothing, rotations)
    print(f"\na picture of {len(clip) / 1e3:,.0f} kB of video, {rotations} times")
    print(f"  a picture       {ours * 1e3:7.1f} ms of CPU, {min(sizes):,} bytes")
    print(f"  ffmpeg starts   {others * 1e3:7.1f} ms of CPU; ratio {ours / others:.1f}")
    print(
        f"  one core at low priority: {SECONDS / ours:,.0f} sessions each {SECONDS} s"
    )


async def _measures(count: int, rotations: int) -> None:
    async with stores() as urls:
        await migrate(urls.database)
        async with services(settings(urls)) as opened:
            await live_sessions(opened.pool, 1, count)
            live = await sessions.live(opened.pool, count, 0)
            await _measure(opened, live, rotations)


async def _measure(opened: Services, live: list[LiveSession], rotations: int) -> None:
    now = time.time()
    node: Node = configured_node(opened.settings)
    measuring = Measuring(opened.pool, IngestStore(opened.redis), lambda: now)
    encoders = [
        Publisher(one.path, "rtmpConn", f"of {one.id}", True, "", "", _intake(0))
        for one in live
    ]

    async def measure() -> None:
        nonlocal now
        now += EVERY
        moved = [one._replace(intake=_intake(round(now * 250_000))) for one in encoders]
        await measuring.look(node, moved, live)

    async def nothing() -> None:
        """A round that comes before the next measure."""
        await measuring.look(node, encoders, live)

    await measure()
    ours, others = await _turns(measure, nothing, rotations)
    print(f"\nmeasuring {len(live):,} sessions, {rotations} times")
    print(f"  each {EVERY:g} s       {ours * 1e3:7.1f} ms of CPU")
    print(f"  rounds between  {others * 1e3:7.1f} ms of CPU")


async def _turns(
    ours: Callable[[], Awaitable[None]],
    other: Callable[[], Awaitable[None]],
    rotations: int,
) -> tuple[float, float]:
    """Medians, in seconds."""
    found = [(await _cpu(ours), await _cpu(other)) for _ in range(rotations)]
    mine, others = zip(*found, strict=True)
    return statistics.median(mine), statistics.median(others)


async def _cpu(work: Callable[[], Awaitable[None]]) -> float:
    """Ours and that of what we started."""
    before = _spent()
    await work()
    return _spent() - before


def _spent() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
