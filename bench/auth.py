"""The auth endpoint, called as MediaMTX calls it, against a bare aiohttp handler and,
where there is a Go toolchain, against Go's own server and one that says yes without
looking, which shows what client and system leave.

Ours checks the node's secret and a viewer's token, decides from memory and counts the
viewer; the yardsticks only decode the JSON. All get the same bytes, on a new
connection for each call. Slices alternate; medians of all rotations are printed, and
the ratio, which is what counts.
"""

import argparse
import asyncio
import contextlib
import statistics
from collections.abc import Mapping

from bench.golang import built
from bench.load import Load, Slice, client, median
from bench.node_calls import live_path, read_call
from bench.servers import (
    awake,
    bare_aiohttp,
    go_http,
    keep_off_the_servers,
    says_yes,
    service,
    stores,
)

MANY, STORM = 64, 2000
OURS, SAYS_YES = "control plane", "says yes"
AIMS = {
    (1, "bare aiohttp"): "aim: p50 0.40 or less",
    (1, "Go"): "aim: p50 1.0 or less",
    (1, SAYS_YES): "what client and system leave",
    (MANY, "bare aiohttp"): "aim: rate 2.5 or more",
    (MANY, "Go"): "aim: rate 0.75 or more",
    (MANY, SAYS_YES): "what client and system leave",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rotations", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each slice")
    parser.add_argument(
        "--awake", action="store_true", help="keep the cores from halting between calls"
    )
    options = parser.parse_args()
    keep_off_the_servers()
    with awake() if options.awake else contextlib.nullcontext():
        asyncio.run(_run(options.rotations, options.seconds))


async def _run(rotations: int, seconds: float) -> None:
    with built() as programs:
        name, load = client(programs)
        print(f"client: {name}", flush=True)
        async with stores() as urls:
            with (
                service(urls) as ours,
                bare_aiohttp() as bare,
                go_http(programs) as go,
                says_yes(programs) as yes,
            ):
                request = read_call(ours, await live_path(urls.database))
                others = {"bare aiohttp": bare, "Go": go, SAYS_YES: yes}
                ports = {OURS: ours.internal} | {
                    name: port for name, port in others.items() if port is not None
                }
                await asyncio.to_thread(
                    _measure, load, ports, request, rotations, seconds
                )
        if programs is None:
            print("\nNo Go toolchain here: not compared with Go's server.")


def _measure(
    load: Load, ports: Mapping[str, int], request: bytes, rotations: int, seconds: float
) -> None:
    for clients in (1, MANY):
        found = _rotate(load, ports, request, rotations, clients, seconds)
        print(
            f"\nauth, {clients} at once, a new connection each, {rotations} rotations"
        )
        _report(found)
        for yardstick in list(ports)[1:]:
            _compare(found[OURS], found[yardstick], yardstick, AIMS[clients, yardstick])
    for name in (OURS, SAYS_YES):
        if name in ports:
            _storm(load, name, ports[name], request, rotations, seconds)


def _rotate(
    load: Load,
    ports: Mapping[str, int],
    request: bytes,
    rotations: int,
    clients: int,
    seconds: float,
) -> dict[str, list[Slice]]:
    for port in ports.values():
        load(port, request, clients, 0.3)
    found: dict[str, list[Slice]] = {name: [] for name in ports}
    for _ in range(rotations):
        for name, port in ports.items():
            found[name].append(load(port, request, clients, seconds))
    return found


def _storm(
    load: Load, name: str, port: int, request: bytes, rotations: int, seconds: float
) -> None:
    """Everybody comes back at the same moment; its yardstick is the quiet rate."""
    quiet, storms = [], []
    for _ in range(rotations):
        quiet.append(load(port, request, MANY, seconds))
        storms.append(load(port, request, STORM, 0))
    print(f"\n{name}: {STORM} connections at the same moment, {rotations} rotations")
    _report({f"{MANY} at once": quiet, f"{STORM} once": storms})
    ratio = statistics.median(
        storm.rate / calm.rate for storm, calm in zip(storms, quiet, strict=True)
    )
    aim = (
        "aim: 0.9 or more, p99 200 ms"
        if name == OURS
        else "what client and system leave"
    )
    print(f"  ratio to the quiet rate: {ratio:.2f}  ({aim})")


def _report(found: Mapping[str, list[Slice]]) -> None:
    for name, slices in found.items():
        p50 = median(slices, lambda one: one.quantile(0.5)) * 1e6
        p99 = median(slices, lambda one: one.quantile(0.99)) * 1e6
        rate = median(slices, lambda one: one.rate)
        print(f"  {name:14} {rate:8.0f}/s   p50 {p50:6.0f} µs   p99 {p99:6.0f} µs")


def _compare(ours: list[Slice], others: list[Slice], yardstick: str, aim: str) -> None:
    pairs = list(zip(ours, others, strict=True))
    rate = statistics.median(one.rate / other.rate for one, other in pairs)
    p50 = statistics.median(
        one.quantile(0.5) / other.quantile(0.5) for one, other in pairs
    )
    print(f"  ratio to {yardstick}: rate {rate:.2f}, p50 {p50:.2f}  ({aim})")


if __name__ == "__main__":
    main()
