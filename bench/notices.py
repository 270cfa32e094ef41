"""How far Postgres's notices carry: changes of sessions that `auth` has to be told of,
beside the same changes that nobody is told of, in slices that take turns.

Each change is a transaction of its own, of a session of its own; Postgres waits for the
disk. Somebody listens, as each `auth` process does. Commits that notify wait for each
other, so more at once do not make more of them.
"""

import argparse
import asyncio
import statistics
import time
from dataclasses import dataclass, field

import asyncpg

from bench.load import Slice
from bench.nodes import live_sessions
from bench.servers import Stores, stores
from control_plane.base.database import Pool, open_pool
from control_plane.base.schema import migrate

TOLD = "UPDATE live_streaming_sessions SET token_epoch = token_epoch + 1 WHERE id = $1"
UNTOLD = "UPDATE live_streaming_sessions SET token_epoch = token_epoch WHERE id = $1"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rotations", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each slice")
    parser.add_argument("--most", type=int, default=64, help="changes at once")
    asyncio.run(_bench(parser.parse_args()))


async def _bench(options: argparse.Namespace) -> None:
    async with stores() as urls:
        await migrate(urls.database)
        async with open_pool(urls.database, options.most) as pool:
            ids = (await live_sessions(pool, 1, options.most))["n0"]
            listener = await Listener.of(urls)
            for at_once in sorted({1, 8, options.most}):
                changes = Changes(pool, listener, ids[:at_once], options.seconds)
                await changes.compare(options.rotations)
            await listener.close()


@dataclass
class Listener:
    """``changed_at``: when the change of each path was asked for."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    changed_at: dict[str, float] = field(default_factory=dict)
    heard: list[float] = field(default_factory=list)  # seconds later

    @classmethod
    async def of(cls, urls: Stores) -> "Listener":
        found = cls(await asyncpg.connect(urls.database))
        await found.connection.add_listener("permissions", found._hears)
        return found

    async def close(self) -> None:
        await self.connection.close()

    def _hears(self, _connection: object, _pid: int, _name: str, path: object) -> None:
        if began := self.changed_at.get(str(path)):
            self.heard.append(time.perf_counter() - began)


@dataclass(frozen=True)
class Changes:
    pool: Pool
    listener: Listener
    ids: list[int]
    seconds: float

    async def compare(self, rotations: int) -> None:
        await self._slice(TOLD)
        self.listener.heard.clear()
        pairs = [
            (await self._slice(TOLD), await self._slice(UNTOLD))
            for _ in range(rotations)
        ]
        told, untold = (
            statistics.median(one.rate for one in some)
            for some in zip(*pairs, strict=True)
        )
        ratio = statistics.median(a.rate / b.rate for a, b in pairs)
        heard = Slice(self.seconds, sorted(self.listener.heard))
        p50, p99 = (heard.quantile(part) * 1e3 for part in (0.5, 0.99))
        print(f"\n{len(self.ids)} at once")
        print(f"  told    {told:6.0f} changes a second")
        print(f"  untold  {untold:6.0f}   ratio {ratio:.2f}")
        print(f"  heard   p50 {p50:.1f} ms   p99 {p99:.1f} ms after it was asked for")

    async def _slice(self, statement: str) -> Slice:
        taken: list[float] = []
        begin = time.perf_counter()

        async def change(session_id: int) -> None:
            while (start := time.perf_counter()) - begin < self.seconds:
                self.listener.changed_at[f"live/{session_id}"] = start
                await self.pool.execute(statement, session_id)
                taken.append(time.perf_counter() - start)

        await asyncio.gather(*(change(one) for one in self.ids))
        return Slice(time.perf_counter() - begin, sorted(taken))


if __name__ == "__main__":
    main()
