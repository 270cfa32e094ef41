"""Viewers that a real MediaMTX admits: HLS sessions opened a second, 16 at once, with
our service and with a bare aiohttp handler, and with Go's server where there is a
toolchain, as the one that it asks.

Needs MEDIAMTX_BIN, a v1.18.0 or newer. Each slice has a fresh node: one that lists
many sessions is slower. Nothing is pinned: node, auth server and client share the
cores as they do on one machine.
"""

import argparse
import asyncio
import contextlib
import statistics
import time
from collections.abc import Mapping

from bench.golang import built
from bench.load import Load, Slice, WrongAnswer, client, median
from bench.media_node import binary, encoder, node, somewhere
from bench.node_calls import live_path, viewer_token
from bench.servers import (
    Service,
    bare_aiohttp,
    go_http,
    service,
    stores,
)

CLIENTS = 16
OURS = "control plane"
START = 20.0  # seconds for the first picture
AIMS = {"bare aiohttp": "  (aim: 1.5 or more)"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rotations", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each slice")
    options = parser.parse_args()
    if not binary():
        print("admission: skipped, MEDIAMTX_BIN names no MediaMTX")
        return
    asyncio.run(_run(options.rotations, options.seconds))


async def _run(rotations: int, seconds: float) -> None:
    with built() as programs:
        name, load = client(programs)
        print(f"client: {name}")
        async with stores() as urls:
            with service(urls) as ours, bare_aiohttp() as bare, go_http(programs) as go:
                path = await live_path(urls.database)
                ports = {OURS: ours.internal, "bare aiohttp": bare}
                ports |= {} if go is None else {"Go": go}
                found = await asyncio.to_thread(
                    _rotate, load, ours, path, ports, rotations, seconds
                )
    _report(found)


def _rotate(
    load: Load,
    ours: Service,
    path: str,
    ports: Mapping[str, int],
    rotations: int,
    seconds: float,
) -> dict[str, list[Slice]]:
    found: dict[str, list[Slice]] = {name: [] for name in ports}
    for _ in range(rotations):
        for name, port in ports.items():
            where = somewhere()
            url = f"rtmp://127.0.0.1:{where.rtmp}/{path}"
            # Nobody is asked about the one publisher: only viewers are measured.
            with node(where, ours.secret, port, excluded="publish"), encoder(url):
                request = where.asks(path, viewer_token(ours, path))
                _until_it_plays(load, where.hls, request)
                found[name].append(load(where.hls, request, CLIENTS, seconds))
    return found


def _until_it_plays(load: Load, port: int, request: bytes) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        with contextlib.suppress(WrongAnswer):
            load(port, request, 1, 0)
            return
        time.sleep(0.2)
    raise SystemExit("The node shows no picture.")


def _report(found: Mapping[str, list[Slice]]) -> None:
    print(f"\nviewers admitted by a real MediaMTX, {CLIENTS} at once")
    for name, slices in found.items():
        p50 = median(slices, lambda one: one.quantile(0.5)) * 1e3
        rate = median(slices, lambda one: one.rate)
        print(f"  {name:14} {rate:7.0f}/s   p50 {p50:5.1f} ms")
    for name in list(found)[1:]:
        ratio = statistics.median(
            one.rate / other.rate
            for one, other in zip(found[OURS], found[name], strict=True)
        )
        print(f"  ratio to {name}: {ratio:.2f}{AIMS.get(name, '')}")


if __name__ == "__main__":
    main()
