"""Publish grants: which key let which connection in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from control_plane.base.database import Executor


@dataclass(frozen=True, slots=True)
class Grant:
    key_id: int | None
    granted_at: datetime
    ended_at: datetime | None
    #: So recently that a list which names it may be older than its end.
    just_ended: bool
    key_is_dead: bool  # revoked, or replaced by a newer one
    key_is_spent: bool  # it was for one broadcast, which it opened


async def add(
    executor: Executor, node: str, source_id: str, path: str, key_id: int | None
) -> None:
    await executor.execute(
        """
        INSERT INTO publish_grants (node, source_id, path, key_id)
        VALUES ($1, $2, $3, $4) ON CONFLICT (node, source_id) DO UPDATE
        SET key_id = coalesce(excluded.key_id, publish_grants.key_id)
        """,
        node,
        source_id,
        path,
        key_id,
    )


async def end(executor: Executor, node: str, source_id: str, path: str) -> None:
    """Also of a source we never heard of: its late ``ready`` must not count."""
    await executor.execute(
        """
        INSERT INTO publish_grants (node, source_id, path, ended_at)
        VALUES ($1, $2, $3, now()) ON CONFLICT (node, source_id) DO UPDATE
        SET ended_at = coalesce(publish_grants.ended_at, now())
        """,
        node,
        source_id,
        path,
    )


async def reopen(executor: Executor, node: str, source_id: str) -> None:
    """The node lists it, whatever a message said."""
    await executor.execute(
        "UPDATE publish_grants SET ended_at = NULL"
        " WHERE node = $1 AND source_id = $2 AND ended_at IS NOT NULL",
        node,
        source_id,
    )


async def of(
    executor: Executor, node: str, source_ids: Sequence[str]
) -> dict[str, Grant]:
    rows = await executor.fetch(
        """
        SELECT g.source_id, g.key_id, g.granted_at, g.ended_at,
            g.ended_at > clock_timestamp() - interval '5 s' AS just_ended,
            k.revoked_at IS NOT NULL OR k.superseded_at IS NOT NULL AS key_is_dead,
            k.spent_on IS NOT NULL AS key_is_spent
        FROM publish_grants g LEFT JOIN stream_keys k ON k.id = g.key_id
        WHERE g.node = $1 AND g.source_id = ANY($2)
        """,
        node,
        list(source_ids),
    )
    return {
        row["source_id"]: Grant(
            row["key_id"],
            row["granted_at"],
            row["ended_at"],
            bool(row["just_ended"]),
            row["key_is_dead"],
            row["key_is_spent"],
        )
        for row in rows
    }


async def coming(executor: Executor, node: str, path: str, seconds: int) -> list[str]:
    """Source ids let in on this path so recently that no list may name them yet."""
    rows = await executor.fetch(
        """
        SELECT source_id FROM publish_grants
        WHERE node = $1 AND path = $2 AND ended_at IS NULL
            AND granted_at > now() - make_interval(secs => $3)
        """,
        node,
        path,
        seconds,
    )
    return [row["source_id"] for row in rows]


async def contested(executor: Executor) -> dict[str, int]:
    """By path, how many encoders came within the last half minute while another that
    came in it was there; one alone is a phone that changes its network."""
    rows = await executor.fetch(
        """
        SELECT path, count(*) FROM publish_grants g
        WHERE granted_at > now() - interval '30 s' AND EXISTS (
            SELECT FROM publish_grants o WHERE o.granted_at > now() - interval '30 s'
            AND o.path = g.path AND o.granted_at < g.granted_at
            AND (o.ended_at IS NULL OR o.ended_at >= g.granted_at))
        GROUP BY path HAVING count(*) > 1
        """
    )
    return {row["path"]: row["count"] for row in rows}


async def forget_old(executor: Executor) -> None:
    await executor.execute(
        """
        DELETE FROM publish_grants g WHERE granted_at < now() - interval '1 day'
        AND NOT EXISTS (SELECT FROM live_streaming_sessions s
            WHERE s.path = g.path AND s.publisher_id = g.source_id)
        """
    )
