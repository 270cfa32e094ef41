"""Gifts into one broadcaster, and between distinct users, against the naive way: a
transaction of its own for each gift that locks both wallets.

Both write the same rows into the same tables, fsync on, with the same gifts in flight.
Slices alternate; the medians of all rotations are printed, with the ratio.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

from bench.leaders import leader_boards
from bench.load import Slice
from bench.servers import stores
from control_plane.base.database import Pool, open_pool
from control_plane.base.schema import migrate
from control_plane.coins.model import ledger as rules
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.store import ledger
from control_plane.events.log import append_session_event

ROSE = 1
COINS = 10**12  # nobody runs out

Send = Callable[[GiftOrder], Awaitable[object]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rotations", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each slice")
    parser.add_argument("--senders", type=int, default=100)
    options = parser.parse_args()
    asyncio.run(_bench(options))


async def _bench(options: argparse.Namespace) -> None:
    async with stores() as urls:
        await migrate(urls.database)
        async with (
            open_pool(urls.database) as pool,
            open_pool(urls.database, 20) as naive_pool,
        ):
            gifts = Gifts(pool, share_percent=0, created_sessions=False)
            naive = Naive(naive_pool)
            senders = [await _user(pool, COINS) for _ in range(options.senders)]
            star = await _user(pool)
            session = await _session(pool, star)
            hot = [GiftOrder(one, ROSE, 1, session_id=session) for one in senders]
            await _compare("one live session", gifts.send, naive.send, hot, options)
            others = [await _session(pool, await _user(pool)) for _ in senders]
            distinct = [
                GiftOrder(one, ROSE, 1, session_id=other)
                for one, other in zip(senders, others, strict=True)
            ]
            await _compare("distinct users", gifts.send, naive.send, distinct, options)
            await leader_boards(pool)


async def _compare(
    name: str,
    ours: Send,
    naive: Send,
    orders: Sequence[GiftOrder],
    options: argparse.Namespace,
) -> None:
    await _slice(ours, orders, 0.3)
    await _slice(naive, orders, 0.3)
    slices: tuple[list[Slice], list[Slice]] = ([], [])
    for _ in range(options.rotations):
        slices[0].append(await _slice(ours, orders, options.seconds))
        slices[1].append(await _slice(naive, orders, options.seconds))
    print(f"\ngifts, {name}, {len(orders)} in flight, fsync on")
    for label, of in zip(("control plane", "naive"), slices, strict=True):
        rate = statistics.median(one.rate for one in of)
        p50 = statistics.median(one.quantile(0.5) for one in of) * 1e3
        p99 = statistics.median(one.quantile(0.99) for one in of) * 1e3
        print(f"  {label:14} {rate:8.0f}/s   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms")
    ratio = statistics.median(a.rate / b.rate for a, b in zip(*slices, strict=True))
    print(f"  ratio: {ratio:.1f} times the naive rate")


async def _slice(send: Send, orders: Sequence[GiftOrder], seconds: float) -> Slice:
    """Each sender sends again as soon as the last gift is answered."""
    latencies: list[float] = []
    begin = time.perf_counter()

    async def sender(order: GiftOrder) -> None:
        while (start := time.perf_counter()) - begin < seconds:
            await send(order)
            latencies.append(time.perf_counter() - start)

    await asyncio.gather(*(sender(order) for order in orders))
    return Slice(time.perf_counter() - begin, sorted(latencies))


class Naive:
    """Lock both rows, look, write, commit."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def send(self, order: GiftOrder) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            session = await connection.fetchrow(
                "SELECT user_id, status FROM live_streaming_sessions WHERE id = $1",
                order.session_id,
            )
            price = await connection.fetchval(
                "SELECT coins FROM gifts WHERE id = $1 AND on_sale", order.gift_id
            )
            if session is None or session["status"] != "live":
                raise LookupError(order.session_id)
            receiver_id, coins = session["user_id"], price * order.count
            has = await ledger.lock(connection, [order.sender_id, receiver_id])
            entries = rules.gift(
                order.sender_id, has[order.sender_id], receiver_id, coins, 0
            )
            transfer_id = await ledger.transfer(connection, "gift", entries)
            await connection.execute(
                "INSERT INTO gift_transactions (transfer_id, gift_id, gift_count,"
                " coins, sender_id, receiver_id, live_streaming_id)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                transfer_id,
                order.gift_id,
                order.count,
                coins,
                order.sender_id,
                receiver_id,
                order.session_id,
            )
            data = {
                "id": transfer_id,
                "gift_id": order.gift_id,
                "title": "Rose",
                "count": order.count,
                "coin": coins,
                "sender_id": order.sender_id,
                "sender": "",
                "receiver_id": receiver_id,
                "video_id": 0,
            }
            await append_session_event(connection, order.session_id, "gift.sent", data)


async def _user(pool: Pool, coins: int = 0) -> int:
    user_id = int(await pool.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id"))
    if coins:
        async with pool.acquire() as connection:
            await ledger.transfer(connection, "bonus", rules.bonus(user_id, coins))
    return user_id


async def _session(pool: Pool, user_id: int) -> int:
    await pool.execute(
        "INSERT INTO nodes (name, api_url, rtmp_url, hls_url, webrtc_url, srt_url,"
        " rtsp_url) VALUES ('bench', '', '', '', '', '', '') ON CONFLICT DO NOTHING"
    )
    return int(
        await pool.fetchval(
            "INSERT INTO live_streaming_sessions (user_id, path, node, status,"
            " longest, started_at, publisher_id)"
            " VALUES ($1, 'live/' || $1::int, 'bench', 'live', '1 h', now(), 'p')"
            " RETURNING id",
            user_id,
        )
    )


if __name__ == "__main__":
    main()
