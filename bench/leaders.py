"""Leader boards over many gifts, against adding the gifts up for each who asks."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from control_plane.base.database import Pool
from control_plane.coins.model.leaders import Board
from control_plane.coins.service.leaders import LeaderBoards

GIFTS, FANS, STARS, DAYS = 300_000, 5_000, 500, 30
ROUNDS = 20
AT_ONCE = 20  # guests

Ask = Callable[[], Awaitable[object]]


async def leader_boards(pool: Pool) -> None:
    session_id = await _fill(pool)
    boards = {
        "the last hour": Board("sent", "hour"),
        "the last day": Board("sent", "day"),
        "the last month": Board("sent", "month"),
        "one live session": Board("sent", None, session_id),
    }
    print(f"\nleader boards over {GIFTS:,} gifts, medians of {ROUNDS}")
    shared = LeaderBoards(pool)
    for name, board in boards.items():
        read = await _median(partial(_read, pool, board))
        known = await _median(partial(shared.page, board, 0))
        print(f"  {name:18} {read:7.2f} ms read, {known:5.2f} ms remembered")
    naive = await _median(partial(_naive, pool))
    print(f"  {'added up each time':18} {naive:7.2f} ms for the last month")
    asked = [partial(LeaderBoards(pool).page, boards["the last month"], 0)] * AT_ONCE
    print(f"  {AT_ONCE} guests at once {await _together(asked):10.2f} ms for all")


async def _read(pool: Pool, board: Board) -> object:
    return await LeaderBoards(pool).page(board, 0)


async def _median(ask: Ask) -> float:
    await ask()
    return statistics.median([await _together([ask]) for _ in range(ROUNDS)])


async def _together(asks: Sequence[Ask]) -> float:
    """Milliseconds."""
    begin = time.perf_counter()
    await asyncio.gather(*(ask() for ask in asks))
    return (time.perf_counter() - begin) * 1e3


async def _naive(pool: Pool) -> object:
    return await pool.fetch(
        "SELECT sender_id, sum(coins) FROM gift_transactions"
        " WHERE created_at > now() - interval '30 days'"
        " GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
    )


async def _fill(pool: Pool) -> int:
    """Gifts of the last month, the newest in one live session, which is returned. The
    ledger is told nothing of them."""
    session_id = int(await pool.fetchval("SELECT max(id) FROM live_streaming_sessions"))
    first = int(
        await pool.fetchval(
            "WITH new AS (INSERT INTO users (username)"
            " SELECT 'bench-' || n FROM generate_series(1, $1) n RETURNING id)"
            " SELECT min(id) FROM new",
            FANS + STARS,
        )
    )
    for part in range(30):
        await pool.execute(
            """
            WITH transfer AS (
                INSERT INTO ledger_transfers (kind)
                SELECT 'gift' FROM generate_series(1, $1) RETURNING id
            )
            INSERT INTO gift_transactions (transfer_id, gift_id, gift_count, coins,
                sender_id, receiver_id, live_streaming_id, created_at)
            SELECT id, 1, 1, 10, $2 + floor(random() * $3)::int,
                $2 + $3 + floor(random() * $4)::int,
                CASE WHEN $5 = 0 THEN $6::int END,
                now() - ($5 + random()) * interval '1 day' FROM transfer
            """,
            GIFTS // 30,
            first,
            FANS,
            STARS,
            part,
            session_id,
        )
    await pool.execute("ANALYZE")
    return session_id
