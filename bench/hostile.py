"""Nodes' calls while the public side is attacked: auth's p50 and p99, quiet and under
each kind of load, in slices that take turns.

The attackers are processes of their own, held to the core of the client, or they would
take the time of the very core that is measured.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import socket
import statistics
import time
from collections.abc import Callable, Iterator, Mapping

from bench.golang import built
from bench.load import Load, Slice, client, median
from bench.node_calls import live_path, read_call
from bench.servers import keep_off_the_servers, service, stores

ATTACKERS = 2
CALLERS = 8
QUIET = "quiet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rotations", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each slice")
    options = parser.parse_args()
    asyncio.run(_run(options.rotations, options.seconds))


async def _run(rotations: int, seconds: float) -> None:
    keep_off_the_servers()
    with built() as programs:
        name, load = client(programs)
        print(f"client: {name}")
        async with stores() as urls:
            with service(urls) as ours:
                request = read_call(ours, await live_path(urls.database))
                found = await asyncio.to_thread(
                    _rotate,
                    load,
                    ours.internal,
                    ours.public,
                    request,
                    rotations,
                    seconds,
                )
    _report(found)


def _rotate(
    load: Load,
    internal: int,
    public: int,
    request: bytes,
    rotations: int,
    seconds: float,
) -> Mapping[str, list[Slice]]:
    found: dict[str, list[Slice]] = {name: [] for name in (QUIET, *ATTACKS)}
    load(internal, request, CALLERS, 0.3)
    for _ in range(rotations):
        found[QUIET].append(load(internal, request, CALLERS, seconds))
        for name, attack in ATTACKS.items():
            with _attacked(attack, public):
                found[name].append(load(internal, request, CALLERS, seconds))
    return found


@contextlib.contextmanager
def _attacked(attack: Callable[[int], None], public: int) -> Iterator[None]:
    others = [
        multiprocessing.Process(target=attack, args=(public,), daemon=True)
        for _ in range(ATTACKERS)
    ]
    for one in others:
        one.start()
    time.sleep(0.2)
    try:
        yield
    finally:
        for one in others:
            one.kill()
            one.join()


def _calls(public: int) -> None:
    """As many cheap calls as it can answer."""
    body = b"{}"
    head = (
        b"POST /api/showLiveStreams HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", public)) as one:
        while True:
            one.sendall(head % len(body) + body)
            if not one.recv(65536):
                return


def _half_open(public: int) -> None:
    """Requests that are never finished, again and again."""
    while True:
        held = []
        with contextlib.suppress(OSError):
            for _ in range(200):
                one = socket.create_connection(("127.0.0.1", public))
                one.sendall(b"POST /api/showSettings HTTP/1.1\r\nHost: a\r\n")
                held.append(one)
        for one in held:
            one.close()


def _bodies(public: int) -> None:
    """The dearest bodies that are taken to be read at all."""
    parts = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\n%d\r\n' % (i, i)
        for i in range(60)
    )
    many = (
        (b"application/json", b'{"a":' + b"[" * 30 + b"]" * 30 + b"}" + b" " * 900_000),
        (b"application/x-www-form-urlencoded", b"&".join([b"a=%20"] * 20_000)),
        (b"multipart/form-data; boundary=b", parts + b"--b--\r\n"),
    )
    head = (
        b"POST /api/showSettings HTTP/1.1\r\nHost: a\r\n"
        b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n"
    )
    while True:
        for kind, body in many:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", public)) as one,
            ):
                one.sendall(head % (kind, len(body)) + body)
                one.recv(65536)


ATTACKS: Mapping[str, Callable[[int], None]] = {
    "many calls": _calls,
    "half-open requests": _half_open,
    "heavy bodies": _bodies,
}


def _report(found: Mapping[str, list[Slice]]) -> None:
    print(f"\nauth, {CALLERS} at once, {len(found[QUIET])} rotations")
    for name, slices in found.items():
        p50 = median(slices, lambda one: one.quantile(0.5)) * 1e6
        p99 = median(slices, lambda one: one.quantile(0.99)) * 1e6
        ratio = statistics.median(
            one.quantile(0.99) / quiet.quantile(0.99)
            for one, quiet in zip(slices, found[QUIET], strict=True)
        )
        print(
            f"  {name:20} p50 {p50:6.0f} µs   p99 {p99:6.0f} µs   p99 ratio {ratio:.2f}"
        )
    print("  (aim: p99 at most twice the quiet one)")


if __name__ == "__main__":
    main()
