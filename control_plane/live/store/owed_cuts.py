"""Viewers who were denied and are not known to be cut yet. Whoever denies writes it in
the same transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from control_plane.base.database import Executor


async def owe(executor: Executor, origin: str | None = None) -> Mapping[str, int]:
    """At this origin, None: at all of them, and at edges: caches ask about everybody
    again. By node, of those that may answer, what to take back once it is done.

    What a lost node owed before is part of this: everybody there is judged once it is
    back. It is not only left as it was: who judges there now may not see this denial.
    """
    rows = await executor.fetch(
        """
        WITH owing AS (
            SELECT name, lost FROM nodes
            WHERE role = 'edge' OR role = 'origin' AND name = coalesce($1, name)
        ), before AS (
            DELETE FROM owed_cuts WHERE id IN (
                SELECT o.id FROM owed_cuts o JOIN owing ON name = node WHERE lost
                FOR UPDATE OF o SKIP LOCKED)
        ), owed AS (
            INSERT INTO owed_cuts (node) SELECT name FROM owing
            ORDER BY name RETURNING node, id
        )
        SELECT node, owed.id FROM owed JOIN nodes ON name = node
        WHERE NOT lost ORDER BY node
        """,
        origin,
    )
    return {row["node"]: row["id"] for row in rows}


async def done(executor: Executor, ids: Collection[int]) -> None:
    await executor.execute("DELETE FROM owed_cuts WHERE id = ANY($1)", list(ids))


async def due(executor: Executor, since: timedelta) -> Mapping[str, Sequence[int]]:
    """By node, of those that may answer: owed for so long and longer."""
    rows = await executor.fetch(
        """
        SELECT node, array_agg(owed_cuts.id) AS ids FROM owed_cuts
        JOIN nodes ON name = node WHERE NOT lost
            AND owed_at <= clock_timestamp() - $1::interval
        GROUP BY node ORDER BY node
        """,
        since,
    )
    return {row["node"]: row["ids"] for row in rows}
