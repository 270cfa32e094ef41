"""Nodes' calls while the public side is under load: auth's p50 and p99, quiet and
under each kind of load, in slices that take turns, one call at a time and several.

An auth process and the client have the first core for themselves. All the rest, the
attackers too, shares the others: whatever the public side does may cost the public, but
nodes shall not feel it.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from bench.attacks import ATTACKS, Attack, Target
from bench.golang import built
from bench.load import Load, Slice, client, median
from bench.node_calls import live_path, read_call
from bench.servers import Service, api_role, auth_role, stores
from control_plane.base.secrets import Secrets
from control_plane.base.tokens import UserToken, sign_user

ATTACKERS = 2
CALLERS = (1, 8)
HOSTS = 50
QUIET = "quiet"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rotations", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each slice")
    options = parser.parse_args()
    asyncio.run(_run(options.rotations, options.seconds))


async def _run(rotations: int, seconds: float) -> None:
    ours, others = cores()
    os.sched_setaffinity(0, others)
    with built() as programs:
        name, load = client(programs)
        print(f"client: {name}", flush=True)
        async with stores() as urls:
            with api_role(urls) as public:
                request = read_call(public, await live_path(urls.database))
                target = await _target(public, urls.database)
                os.sched_setaffinity(0, ours)
                with auth_role(public) as port:
                    side = Side(load, port, request, target, others)
                    await asyncio.to_thread(_measure, side, rotations, seconds)


def cores() -> tuple[set[int], set[int]]:
    """The first, and all others."""
    first, *others = sorted(os.sched_getaffinity(0))
    return {first}, set(others) or {first}


async def _target(public: Service, database: str) -> Target:
    """With users who go live again and again."""
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch(
            "INSERT INTO users (username) SELECT 'host' || n"
            " FROM generate_series(1, $1::int) AS n RETURNING id",
            HOSTS,
        )
    finally:
        await connection.close()
    now = int(time.time())
    keys = Secrets(public.secret).user_tokens()
    tokens = [
        sign_user(keys, UserToken(row["id"], 1, now, now + 3600, f"bench-{row['id']}"))
        for row in rows
    ]
    return Target(public.public, tokens)


@dataclass(frozen=True)
class Side:
    """What calls, what is called, and what is attacked meanwhile."""

    load: Load
    port: int
    request: bytes
    target: Target
    others: set[int]

    def call(self, clients: int, seconds: float) -> Slice:
        return self.load(self.port, self.request, clients, seconds)


def _measure(side: Side, rotations: int, seconds: float) -> None:
    for clients in CALLERS:
        side.call(clients, 0.3)
        found: dict[str, list[Slice]] = {name: [] for name in (QUIET, *ATTACKS)}
        for _ in range(rotations):
            found[QUIET].append(side.call(clients, seconds))
            for name, attack in ATTACKS.items():
                with _attacked(attack, side):
                    found[name].append(side.call(clients, seconds))
        _report(clients, found)


@contextlib.contextmanager
def _attacked(attack: Attack, side: Side) -> Iterator[None]:
    others = [
        multiprocessing.Process(
            target=_attacker,
            args=(attack, side.target, number, side.others),
            daemon=True,
        )
        for number in range(ATTACKERS)
    ]
    for one in others:
        one.start()
    time.sleep(0.3)
    try:
        yield
    finally:
        for one in others:
            one.kill()
            one.join()


def _attacker(attack: Attack, target: Target, number: int, cores: set[int]) -> None:
    os.sched_setaffinity(0, cores)
    attack(target, number)


def _report(clients: int, found: Mapping[str, Sequence[Slice]]) -> None:
    print(f"\nauth, {clients} at once, {len(found[QUIET])} rotations")
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
    print("  (aim: p99 at most twice the quiet one)", flush=True)


if __name__ == "__main__":
    main()
