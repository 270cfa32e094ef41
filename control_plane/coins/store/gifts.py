"""Gifts on sale and gifts sent; a batch is read and written whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from control_plane.base.database import Connection, Executor
from control_plane.coins.model.gifts import Gift, GiftRow, SentGift
from control_plane.coins.model.ledger import Entry

_COLUMNS = ", ".join(field.name for field in fields(Gift))
_SELECT = f"SELECT {_COLUMNS} FROM gifts"  # noqa: S608
_SENT = """
    SELECT t.id, g.title AS gift, t.gift_count AS count, t.coins, t.sender_id,
        t.receiver_id, t.live_streaming_id AS session_id, t.video_id, t.created_at
    FROM gift_transactions t JOIN gifts g ON g.id = t.gift_id
"""


@dataclass(frozen=True, slots=True)
class Given:
    """A gift that was decided, and the coins that move with it."""

    transfer_id: int
    sent: SentGift
    entries: Sequence[Entry]


async def catalogue(executor: Executor) -> list[Gift]:
    """On sale now, featured ones first."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE on_sale ORDER BY featured DESC, display_order, id"
    )
    return [Gift(**dict(row)) for row in rows]


async def by_id(executor: Executor, ids: Iterable[int]) -> dict[int, Gift]:
    rows = await executor.fetch(f"{_SELECT} WHERE id = ANY($1)", list(ids))
    return {row["id"]: Gift(**dict(row)) for row in rows}


async def sent(executor: Executor, before: int, limit: int) -> list[GiftRow]:
    """Those below an id, newest first."""
    rows = await executor.fetch(
        f"{_SENT} WHERE t.id < $1 ORDER BY t.id DESC LIMIT $2", before, limit
    )
    return [GiftRow(**dict(row)) for row in rows]


async def of_session(
    executor: Executor, session_id: int, before: int, limit: int
) -> list[GiftRow]:
    """Those below an id, newest first."""
    rows = await executor.fetch(
        f"{_SENT} WHERE t.live_streaming_id = $1 AND t.id < $2"
        " ORDER BY t.id DESC LIMIT $3",
        session_id,
        before,
        limit,
    )
    return [GiftRow(**dict(row)) for row in rows]


async def reserve(connection: Connection, count: int) -> list[tuple[int, int]]:
    """So many ids of transfers and of gift transactions."""
    rows = await connection.fetch(
        """
        SELECT nextval('ledger_transfers_id_seq') AS transfer_id,
            nextval('gift_transactions_id_seq') AS gift_transaction_id
        FROM generate_series(1, $1)
        """,
        count,
    )
    return [(row["transfer_id"], row["gift_transaction_id"]) for row in rows]


async def write(connection: Connection, given: Sequence[Given]) -> None:
    """All of a batch but its events: transfers, entries and gift rows."""
    await _write_gifts(connection, given)
    entries = [(one.transfer_id, entry) for one in given for entry in one.entries]
    await connection.execute(
        "INSERT INTO ledger_entries (transfer_id, account, user_id, amount)"
        " SELECT * FROM unnest($1::bigint[], $2::text[], $3::int[], $4::bigint[])",
        [transfer_id for transfer_id, _ in entries],
        [entry.account for _, entry in entries],
        [entry.user_id for _, entry in entries],
        [entry.amount for _, entry in entries],
    )


async def _write_gifts(connection: Connection, given: Sequence[Given]) -> None:
    sent = [one.sent for one in given]
    await connection.execute(
        """
        WITH given AS (
            SELECT * FROM unnest($1::bigint[], $2::int[], $3::int[], $4::int[],
                $5::bigint[], $6::int[], $7::int[], $8::int[], $9::int[])
                AS g (transfer_id, id, gift_id, gift_count, coins, sender_id,
                    receiver_id, session_id, video_id)
        ), transfers AS (
            INSERT INTO ledger_transfers (id, kind)
            SELECT transfer_id, 'gift' FROM given
        )
        INSERT INTO gift_transactions (transfer_id, id, gift_id, gift_count, coins,
            sender_id, receiver_id, live_streaming_id, video_id)
        SELECT transfer_id, id, gift_id, gift_count, coins, sender_id, receiver_id,
            nullif(session_id, 0), nullif(video_id, 0) FROM given
        """,
        [one.transfer_id for one in given],
        [one.id for one in sent],
        [one.gift_id for one in sent],
        [one.count for one in sent],
        [one.coins for one in sent],
        [one.sender_id for one in sent],
        [one.receiver_id for one in sent],
        [one.session_id for one in sent],
        [one.video_id for one in sent],
    )
