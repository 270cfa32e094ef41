"""How long nobody can go live while a standby takes the place of Postgres's primary,
and whether a broadcast that runs meanwhile notices.

A real Postgres with its standby, the service, and a real MediaMTX where MEDIAMTX_BIN
names one, else the sandbox node. Counted from the moment at which the primary begins to
stop until somebody who signed up then is live.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from bench.media_node import binary
from bench.servers import stores
from control_plane.base.schema import migrate
from tests.support import media
from tests.support.newcomer import is_open_again
from tests.support.servers import server_folder
from tests.support.stack import Stack
from tests.support.standby import Pair

AIM = 10.0  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    asyncio.run(_bench(options.times))


async def _bench(times: int) -> None:
    kind = "mediamtx" if binary() else "sandbox"
    taken = []
    with tempfile.TemporaryDirectory() as clips:
        media.FOLDER = Path(clips)
        for number in range(1, times + 1):
            taken.append(await _once(kind))
            print(f"{number}: {taken[-1]:.1f} s", flush=True)
    print(
        f"\n{kind}, {times} switch-overs, each under a running broadcast: none was cut"
    )
    middle, longest = statistics.median(taken), max(taken)
    print(f"  until another was live: median {middle:.1f} s, longest {longest:.1f} s")
    print(f"  (aim: {AIM:.0f} or less)")


async def _once(kind: str) -> float:
    async with stores() as urls:
        with server_folder() as folder:
            async with Pair(folder).running() as pair:
                await migrate(pair.url)
                async with Stack(kind, folder, pair.url, urls.redis) as stack:
                    await stack.start()
                    return await _seconds(stack, pair)


async def _seconds(stack: Stack, pair: Pair) -> float:
    live = await stack.go_live(await stack.sign_in("ann"))
    encoder = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    began = time.monotonic()
    await pair.stop_primary()
    await pair.promote()
    await is_open_again(stack)
    taken = time.monotonic() - began
    if not encoder.running or "live.reconnecting" in await stack.events(live["id"]):
        raise SystemExit("The broadcast that ran was cut.")
    return taken


if __name__ == "__main__":
    main()
