"""Bans, those that are over too."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from control_plane.base.database import Connection, Executor, Record
from control_plane.live.model.bans import Ban, Banned, Client

_COLUMNS = """
    id, coalesce(user_id, 0) AS user_id, coalesce(device, '') AS device,
    coalesce(network::text, '') AS network, reason, actor, created_at, ends_at,
    ended_at
"""
_COUNTS = "ended_at IS NULL AND (ends_at IS NULL OR ends_at > now())"
#: As columns, of $1 to $3.
_WHOM = "nullif($1, 0), nullif($2, ''), nullif($3, '')::cidr"


def _ban(row: Record) -> Ban:
    values = dict(row)
    names = ("user_id", "device", "network")
    return Ban(whom=Banned(*(values.pop(name) for name in names)), **values)


async def add(
    connection: Connection,
    whom: Banned,
    reason: str,
    actor: str,
    ends_at: datetime | None,
) -> int | None:
    """Or change the one there is. Its id; None when it was so already."""
    found: int | None = await connection.fetchval(
        f"""
        INSERT INTO bans AS known (user_id, device, network, reason, actor, ends_at)
        VALUES ({_WHOM}, $4, $5, $6)
        ON CONFLICT (user_id, device, network) WHERE ended_at IS NULL DO UPDATE
        SET reason = excluded.reason, actor = excluded.actor, ends_at = excluded.ends_at
        WHERE (known.reason, known.ends_at)
            IS DISTINCT FROM (excluded.reason, excluded.ends_at)
        RETURNING id
        """,  # noqa: S608
        whom.user_id,
        whom.device,
        whom.network,
        reason,
        actor,
        ends_at,
    )
    return found


async def end(connection: Connection, whom: Banned) -> int | None:
    """Its id; None when there is none."""
    found: int | None = await connection.fetchval(
        "UPDATE bans SET ended_at = now() WHERE ended_at IS NULL"  # noqa: S608
        f" AND (user_id, device, network) IS NOT DISTINCT FROM ({_WHOM}) RETURNING id",
        whom.user_id,
        whom.device,
        whom.network,
    )
    return found


async def end_due(connection: Connection) -> Ban | None:
    """One whose time has come."""
    row = await connection.fetchrow(
        "UPDATE bans SET ended_at = now() WHERE id = (SELECT id FROM bans"  # noqa: S608
        " WHERE ended_at IS NULL AND ends_at <= now()"
        f" LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING {_COLUMNS}"
    )
    return None if row is None else _ban(row)


async def counting(executor: Executor) -> list[Ban]:
    """Those that count now."""
    rows = await executor.fetch(f"SELECT {_COLUMNS} FROM bans WHERE {_COUNTS}")  # noqa: S608
    return [_ban(row) for row in rows]


async def of_clients(executor: Executor) -> list[Ban]:
    """Those that count now, of devices and ranges."""
    rows = await executor.fetch(
        f"SELECT {_COLUMNS} FROM bans WHERE {_COUNTS} AND user_id IS NULL"  # noqa: S608
    )
    return [_ban(row) for row in rows]


async def listing(
    executor: Executor, *, everything: bool, before: int, limit: int
) -> list[Ban]:
    """Newest first: those that count, or all. ``before``: an id."""
    rows = await executor.fetch(
        f"SELECT {_COLUMNS} FROM bans WHERE ($1 OR {_COUNTS})"  # noqa: S608
        " AND id < $2 ORDER BY id DESC LIMIT $3",
        everything,
        before,
        limit,
    )
    return [_ban(row) for row in rows]


def banned(device: str, address: str) -> str:
    """A condition; the arguments are SQL. Empty: it is not known."""
    return (
        f"EXISTS (SELECT FROM bans WHERE {_COUNTS}"
        f" AND (device = {device} OR network >>= nullif({address}, '')::inet))"
    )


async def covered(
    executor: Executor, clients: Sequence[Client]
) -> Mapping[Client, bool]:
    """Those of them whom a ban falls on; the others are missing."""
    rows = await executor.fetch(
        "SELECT device, address FROM unnest($1::text[], $2::text[])"  # noqa: S608
        f" AS asked (device, address) WHERE {banned('asked.device', 'asked.address')}",
        [one.device for one in clients],
        [one.address for one in clients],
    )
    return {Client(*row): True for row in rows}


async def publishing(executor: Executor, device: str) -> Sequence[tuple[str, str]]:
    """Node and source of who was let in with a key of this device, by its mark."""
    rows = await executor.fetch(
        "SELECT g.node, g.source_id FROM publish_grants g"
        " JOIN stream_keys k ON k.id = g.key_id"
        " WHERE k.device = $1 AND g.ended_at IS NULL",
        device,
    )
    return [(row["node"], row["source_id"]) for row in rows]
