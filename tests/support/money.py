"""Users with coins, live sessions, and the rules that must hold whatever happened."""

from control_plane.base.database import Connection, Executor, Pool
from control_plane.coins.model.ledger import bonus
from control_plane.coins.store import ledger

ROSE, HEART, DIAMOND, UNIVERSE = 1, 2, 3, 4  # ids; 10, 50, 1000 and 5000 coins

#: Everything that moves when coins move, and what moves with it.
TABLES = (
    "ledger_transfers",
    "ledger_entries",
    "wallets",
    "gift_transactions",
    "purchases",
    "withdraw_requests",
    "events",
    "users",
    "live_streaming_sessions",
)

GUARDED = ("ledger_transfers", "ledger_entries", "wallets", "gift_transactions")


async def new_user(pool: Pool, coins: int = 0) -> int:
    """``coins``: given as bonus."""
    user_id = int(await pool.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id"))
    if coins:
        async with pool.acquire() as connection, connection.transaction():
            await ledger.transfer(connection, "bonus", bonus(user_id, coins))
    return user_id


async def new_session(pool: Executor, user_id: int, status: str = "live") -> int:
    """Of a broadcaster on a node that nobody asks."""
    await pool.execute(
        "INSERT INTO nodes (name, api_url, rtmp_url, hls_url, webrtc_url, srt_url,"
        " rtsp_url) VALUES ('node', '', '', '', '', '', '') ON CONFLICT DO NOTHING"
    )
    return int(
        await pool.fetchval(
            """
            INSERT INTO live_streaming_sessions (user_id, path, node, status, longest,
                started_at, publisher_id, reconnect_until, ended_at, end_reason)
            VALUES ($1, 'live/of-' || $1::int, 'node', $2::text, '1 hour', now(),
                CASE WHEN $2::text = 'live' THEN 'p' END,
                CASE WHEN $2::text = 'reconnecting' THEN now() END,
                CASE WHEN $2::text = 'ended' THEN now() END,
                CASE WHEN $2::text = 'ended' THEN 'completed' END)
            RETURNING id
            """,
            user_id,
            status,
        )
    )


async def end_session(pool: Executor, session_id: int) -> None:
    await pool.execute(
        "UPDATE live_streaming_sessions SET status = 'ended', ended_at = now(),"
        " end_reason = 'completed', publisher_id = NULL WHERE id = $1",
        session_id,
    )


async def everything(pool: Pool) -> dict[str, list[str]]:
    """Each table's rows as text, to see that nothing has changed."""
    found = {}
    for table in TABLES:
        rows = await pool.fetch(f"SELECT t::text FROM {table} t ORDER BY 1")  # noqa: S608
        found[table] = [row[0] for row in rows]
    return found


async def kinds(pool: Pool, subject: str, subject_id: int) -> list[str]:
    """The types of a subject's events, whose numbers must have no gap."""
    rows = await pool.fetch(
        "SELECT seq, type FROM events WHERE subject = $1 AND subject_id = $2"
        " ORDER BY seq",
        subject,
        subject_id,
    )
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["type"] for row in rows]


async def disable_triggers(connection: Connection) -> None:
    """As only somebody with the owner's rights can."""
    for table in GUARDED:
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")


async def behind_the_triggers(pool: Pool, statement: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await disable_triggers(connection)
        await connection.execute(statement)
