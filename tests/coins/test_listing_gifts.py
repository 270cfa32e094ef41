"""What operators are shown of the gifts that were sent."""

import asyncpg
import pytest

from control_plane.base.database import Pool
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.store import gifts
from tests.support.money import ROSE, new_session, new_user
from tests.support.plans import Explaining

MANY = 20_000
#: One of a hundred is of a session, and the session that is asked about has the first.
FILL = """
    WITH transfers AS (
        INSERT INTO ledger_transfers (kind)
        SELECT 'gift' FROM generate_series(1, $1) RETURNING id
    )
    INSERT INTO gift_transactions (transfer_id, gift_id, gift_count, coins, sender_id,
        receiver_id, live_streaming_id)
    SELECT id, 1, 1, 10, $2, $3,
        CASE WHEN id <= 10 THEN $4::int WHEN id % 100 = 0 THEN $5::int END
    FROM transfers
"""


async def test_gifts_are_listed_newest_first_of_all_or_of_one_session(
    pool: Pool,
) -> None:
    fan, star = await new_user(pool, 1000), await new_user(pool)
    session = await new_session(pool, star)
    service = Gifts(pool, share_percent=0, created_sessions=False)
    sent = [
        await service.send(GiftOrder(fan, ROSE, 1, star, session_id=where))
        for where in (session, 0, session, session)
    ]
    ids = [one.id for one in sent]
    assert [one.id for one in await service.sent(9)] == ids[::-1]
    of_session = await service.sent(9, session_id=session)
    assert [one.id for one in of_session] == [ids[3], ids[2], ids[0]]
    assert {one.session_id for one in of_session} == {session}
    page = await service.sent(1, before=ids[3], session_id=session)
    assert [one.id for one in page] == [ids[2]]
    assert await service.sent(9, session_id=session + 1) == []


@pytest.mark.parametrize("of", ["all", "session"])
async def test_a_page_of_gifts_is_found_by_an_index(
    of: str, pool: Pool, owner_url: str
) -> None:
    """However many were sent since, in other sessions and in none."""
    fan, star, other = [await new_user(pool) for _ in range(3)]
    session, busy = await new_session(pool, star), await new_session(pool, other)
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute(FILL, MANY, fan, star, session, busy)
        await connection.execute("ANALYZE gift_transactions")
        explaining = Explaining(connection, generic=True)
        if of == "session":
            await gifts.of_session(explaining, session, MANY * 2, 50)
        else:
            await gifts.sent(explaining, MANY * 2, 50)
    finally:
        await connection.close()
    index = {"all": "gift_transactions_pkey", "session": "gifts_of_session"}[of]
    assert f"using {index} on gift_transactions" in explaining.plan
    assert "Sort" not in explaining.plan
