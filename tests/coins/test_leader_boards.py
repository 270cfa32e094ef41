"""Who gave and who got most: added up as gifts are written, read by one at a time."""

import asyncio
from datetime import timedelta
from typing import get_args

import pytest

from control_plane.base.database import Pool
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.model.leaders import Board, Leader, Period, Side
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.service.leaders import LeaderBoards
from tests.support.locks import WAITING
from tests.support.money import HEART, ROSE, new_session, new_user
from tests.support.stack import until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def board(
    pool: Pool, side: Side, period: Period | None, session_id: int = 0
) -> list[tuple[int, int]]:
    """As a process reads it that has not been asked before."""
    leaders = await LeaderBoards(pool).page(Board(side, period, session_id), 0)
    return [(leader.user_id, leader.coins) for leader in leaders]


async def give(pool: Pool, *orders: GiftOrder) -> None:
    """All in one batch, or in several."""
    gifts = Gifts(pool, share_percent=0, created_sessions=False)
    await asyncio.gather(*(gifts.send(order) for order in orders))


async def gave_before(pool: Pool, age: timedelta, fan: int, star: int) -> None:
    """A rose of another time. The ledger is told nothing of it."""
    await pool.execute("INSERT INTO ledger_transfers (kind) VALUES ('gift')")
    await pool.execute(
        "INSERT INTO gift_transactions (transfer_id, gift_id, gift_count, coins,"
        " sender_id, receiver_id, created_at)"
        " SELECT max(id), $1, 1, 10, $2, $3, now() - $4::interval"
        " FROM ledger_transfers",
        ROSE,
        fan,
        star,
        age,
    )


async def test_gifts_are_added_up_for_both_sides(pool: Pool) -> None:
    one, two = await new_user(pool, 500), await new_user(pool, 500)
    star, other = await new_user(pool), await new_user(pool)
    session = await new_session(pool, star)
    await give(
        pool,
        GiftOrder(one, ROSE, 2, session_id=session),
        GiftOrder(one, ROSE, 1, session_id=session),
        GiftOrder(two, HEART, 1, session_id=session),
        GiftOrder(one, HEART, 1, other),
    )
    await give(pool, GiftOrder(two, ROSE, 1, session_id=session))
    for period in get_args(Period):
        assert await board(pool, "sent", period) == [(one, 80), (two, 60)]
        assert await board(pool, "received", period) == [(star, 90), (other, 50)]
    for within in (None, "hour", "month"):
        assert await board(pool, "sent", within, session) == [(two, 60), (one, 30)]
        assert await board(pool, "received", within, session) == [(star, 90)]
    assert await board(pool, "sent", None, session + 1) == []


@pytest.mark.parametrize(
    ("age", "periods"),
    [
        (HOUR * 0.9, {"hour", "day", "week", "month"}),
        (HOUR * 3, {"day", "week", "month"}),
        (HOUR * 23, {"day", "week", "month"}),
        (DAY * 3, {"week", "month"}),
        (DAY * 20, {"month"}),
        (DAY * 40, set()),
    ],
)
async def test_a_gift_counts_for_its_time(
    pool: Pool, age: timedelta, periods: set[Period]
) -> None:
    fan, star = await new_user(pool), await new_user(pool)
    await gave_before(pool, age, fan, star)
    assert {
        period for period in get_args(Period) if await board(pool, "sent", period)
    } == periods


async def test_who_is_gone_is_not_shown(pool: Pool) -> None:
    fans = [await new_user(pool, 10) for _ in range(3)]
    star = await new_user(pool)
    await give(pool, *(GiftOrder(fan, ROSE, 1, star) for fan in fans))
    await pool.execute("UPDATE users SET banned_at = now() WHERE id = $1", fans[0])
    await pool.execute("UPDATE users SET deleted_at = now() WHERE id = $1", fans[1])
    assert await board(pool, "sent", "day") == [(fans[2], 10)]


async def test_pages_end_with_the_hundredth(pool: Pool) -> None:
    star = await new_user(pool)
    fans = [await new_user(pool, 1000) for _ in range(101)]
    await give(
        pool, *(GiftOrder(fan, ROSE, 99 - n // 2, star) for n, fan in enumerate(fans))
    )
    boards = LeaderBoards(pool)
    pages = [await boards.page(Board("sent", "day"), page) for page in range(12)]
    assert [len(page) for page in pages] == [10] * 10 + [0, 0]
    assert pages[0][:2] == [Leader(fans[0], 990), Leader(fans[1], 990)]


async def test_a_board_reads_no_gift_again(pool: Pool, owner: Pool) -> None:
    """However many there are: the table is locked meanwhile."""
    fan, star = await new_user(pool, 10), await new_user(pool)
    await give(pool, GiftOrder(fan, ROSE, 1, star))
    async with owner.transaction() as connection:
        await connection.execute("LOCK TABLE gift_transactions, ledger_entries")
        async with asyncio.timeout(60):
            assert await board(pool, "sent", "month") == [(fan, 10)]
            assert await board(pool, "received", None, 4711) == []


async def test_many_who_ask_at_once_take_one_connection(pool: Pool) -> None:
    """So that nothing else waits for them, and one answer serves those who ask for
    the same."""
    boards = LeaderBoards(pool, seconds=60.0)
    fan, star = await new_user(pool, 20), await new_user(pool)
    await give(pool, GiftOrder(fan, ROSE, 1, star))
    async with pool.transaction() as connection:
        await connection.execute("LOCK TABLE gift_hours, gift_days")
        asked = [
            asyncio.create_task(boards.page(Board("sent", period, session), 0))
            for period in ("day", "week")
            for session in (0, 1, 2)
            for _ in range(5)
        ]

        async def waiting() -> int:
            return int(await pool.fetchval(WAITING))

        await until(waiting, pause=0.01)
        assert await waiting() == 1
    answers = await asyncio.gather(*asked)
    assert answers[:5] == [[Leader(fan, 10)]] * 5
    async with pool.transaction() as connection:
        await connection.execute("LOCK TABLE gift_hours, gift_days")
        async with asyncio.timeout(60):
            assert await boards.page(Board("sent", "day"), 0) == [Leader(fan, 10)]
