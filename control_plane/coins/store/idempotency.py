"""Requests that counted already. The user's wallet is locked around each use."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from control_plane.base.database import Connection, Executor
from control_plane.coins.model.idempotency import Stored

#: A user and that user's key.
Named = tuple[int, str]


async def find(connection: Connection, wanted: Sequence[Named]) -> dict[Named, Stored]:
    rows = await connection.fetch(
        "SELECT k.* FROM idempotency_keys k"
        " JOIN unnest($1::int[], $2::text[]) AS w (user_id, key) USING (user_id, key)",
        [user_id for user_id, _ in wanted],
        [key for _, key in wanted],
    )
    return {
        (row["user_id"], row["key"]): Stored(
            row["fingerprint"], row["code"], json.loads(row["outcome"])
        )
        for row in rows
    }


async def save(connection: Connection, new: Mapping[Named, Stored]) -> None:
    await connection.execute(
        "INSERT INTO idempotency_keys (user_id, key, fingerprint, code, outcome)"
        " SELECT * FROM unnest($1::int[], $2::text[], $3::bytea[], $4::int[],"
        " $5::jsonb[])",
        [user_id for user_id, _ in new],
        [key for _, key in new],
        [stored.fingerprint for stored in new.values()],
        [stored.code for stored in new.values()],
        [json.dumps(stored.fields) for stored in new.values()],
    )


async def forget(executor: Executor, older_than: timedelta, most: int) -> int:
    """How many are gone."""
    rows = await executor.fetch(
        "DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(SELECT ctid"
        " FROM idempotency_keys WHERE created_at < now() - $1::interval LIMIT $2))"
        " RETURNING user_id",
        older_than,
        most,
    )
    return len(rows)
