"""Gifts on sale and gifts sent; a batch is read and written whole."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from control_plane.base.database import Connection, Executor
from control_plane.coins.model.gifts import Gift, NamedSession, SentGift
from control_plane.coins.model.ledger import Entry

Side = Literal["sent", "received"]

_COLUMNS = ", ".join(field.name for field in fields(Gift))
_SELECT = f"SELECT {_COLUMNS} FROM gifts"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Given:
    """A gift that was decided, with all that is written about it."""

    transfer_id: int
    sent: SentGift
    entries: Sequence[Entry]
    event: Mapping[str, object]


async def catalogue(executor: Executor) -> list[Gift]:
    """On sale now, featured ones first."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE on_sale ORDER BY featured DESC, display_order, id"
    )
    return [Gift(**dict(row)) for row in rows]


async def by_id(executor: Executor, ids: Iterable[int]) -> dict[int, Gift]:
    rows = await executor.fetch(f"{_SELECT} WHERE id = ANY($1)", list(ids))
    return {row["id"]: Gift(**dict(row)) for row in rows}


async def lock_sessions(
    connection: Connection, ids: Iterable[int]
) -> dict[int, NamedSession]:
    """Until the transaction ends none of them ends."""
    rows = await connection.fetch(
        "SELECT id, user_id, status FROM live_streaming_sessions WHERE id = ANY($1)"
        " ORDER BY id FOR NO KEY UPDATE",
        list(ids),
    )
    return {row["id"]: NamedSession(row["user_id"], row["status"]) for row in rows}


async def video_owners(executor: Executor, ids: Iterable[int]) -> dict[int, int]:
    rows = await executor.fetch(
        "SELECT id, user_id FROM videos WHERE id = ANY($1) AND deleted_at IS NULL",
        list(ids),
    )
    return {row["id"]: row["user_id"] for row in rows}


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
    """All of a batch: transfers, entries, gift rows and events."""
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
    live = [one for one in given if one.sent.session_id]
    if live:
        await _session_events(connection, live)
    if len(live) < len(given):
        await _user_events(connection, [x for x in given if not x.sent.session_id])


async def _write_gifts(connection: Connection, given: Sequence[Given]) -> None:
    sent = [one.sent for one in given]
    await connection.execute(
        """
        WITH given AS (
            SELECT * FROM unnest($1::bigint[], $2::int[], $3::int[], $4::int[],
                $5::bigint[], $6::int[], $7::int[], $8::int[], $9::int[])
                AS g (transfer_id, id, gift_id, gift_count, coin, sender_id,
                    receiver_id, session_id, video_id)
        ), transfers AS (
            INSERT INTO ledger_transfers (id, kind)
            SELECT transfer_id, 'gift' FROM given
        )
        INSERT INTO gift_transactions (transfer_id, id, gift_id, gift_count, coin,
            sender_id, receiver_id, live_streaming_id, video_id)
        SELECT transfer_id, id, gift_id, gift_count, coin, sender_id, receiver_id,
            nullif(session_id, 0), nullif(video_id, 0) FROM given
        """,
        [one.transfer_id for one in given],
        [one.id for one in sent],
        [one.gift_id for one in sent],
        [one.count for one in sent],
        [one.coin for one in sent],
        [one.sender_id for one in sent],
        [one.receiver_id for one in sent],
        [one.session_id for one in sent],
        [one.video_id for one in sent],
    )


async def _session_events(connection: Connection, given: Sequence[Given]) -> None:
    await connection.execute(
        """
        WITH sent AS (
            SELECT subject_id, data, row_number() OVER (
                PARTITION BY subject_id ORDER BY position) AS nth
            FROM unnest($1::int[], $2::jsonb[])
                WITH ORDINALITY AS s (subject_id, data, position)
        ), subject AS (
            UPDATE live_streaming_sessions s SET seq = s.seq + n.added
            FROM (SELECT subject_id, count(*) AS added FROM sent GROUP BY 1) n
            WHERE s.id = n.subject_id RETURNING s.id, s.seq - n.added AS before
        )
        INSERT INTO events (subject, subject_id, seq, type, data)
        SELECT 'session', id, before + nth, 'gift.sent', data
        FROM sent JOIN subject ON id = subject_id
        """,
        [one.sent.session_id for one in given],
        [json.dumps(one.event) for one in given],
    )


async def _user_events(connection: Connection, given: Sequence[Given]) -> None:
    await connection.execute(
        """
        WITH sent AS (
            SELECT subject_id, data, row_number() OVER (
                PARTITION BY subject_id ORDER BY position) AS nth
            FROM unnest($1::int[], $2::jsonb[])
                WITH ORDINALITY AS s (subject_id, data, position)
        ), subject AS (
            UPDATE users u SET seq = u.seq + n.added
            FROM (SELECT subject_id, count(*) AS added FROM sent GROUP BY 1) n
            WHERE u.id = n.subject_id RETURNING u.id, u.seq - n.added AS before
        )
        INSERT INTO events (subject, subject_id, seq, type, data)
        SELECT 'user', id, before + nth, 'gift.sent', data
        FROM sent JOIN subject ON id = subject_id
        """,
        [one.sent.receiver_id for one in given],
        [json.dumps(one.event) for one in given],
    )


async def leaders(
    executor: Executor,
    side: Side,
    *,
    hours: int,
    session_id: int,
    limit: int,
    offset: int,
) -> list[tuple[int, int]]:
    """Users and the coins that they gave or were given, most first. ``session_id``
    0: everywhere, within the last hours."""
    rows = await executor.fetch(
        """
        SELECT CASE WHEN $1 THEN g.sender_id ELSE g.receiver_id END AS user_id,
            sum(g.coin)::bigint AS coins
        FROM gift_transactions g
        JOIN users u
            ON u.id = CASE WHEN $1 THEN g.sender_id ELSE g.receiver_id END
            AND u.banned_at IS NULL AND u.deleted_at IS NULL
        WHERE CASE WHEN $3 = 0 THEN true ELSE g.live_streaming_id = $3 END
            AND g.created_at > now() - make_interval(hours => $2)
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $4 OFFSET $5
        """,
        side == "sent",
        hours,
        session_id,
        limit,
        offset,
    )
    return [(row["user_id"], row["coins"]) for row in rows]
