"""Media nodes, their leases, and how long they have been silent."""

from dataclasses import fields
from datetime import timedelta

from control_plane.base.database import Connection, Executor, Record
from control_plane.live.model.nodes import Heard, Node
from control_plane.live.model.placing import Origin

#: What the last look found counts for longer: see ``viewers.WINDOW``.
LEASE = timedelta(seconds=7)

_COLUMNS = ", ".join(field.name for field in fields(Node))
_SELECT = f"SELECT {_COLUMNS} FROM nodes"  # noqa: S608

#: What whoever adds a node says of it; the rest is its state.
_STATE = {
    "draining",
    "closed",
    "silent_since",
    "silent_because",
    "lost",
    "let_go",
    "bits",
}
_DESCRIPTION = [one.name for one in fields(Node) if one.name not in _STATE]
_NAMES = ", ".join(_DESCRIPTION)
_KNOWN = ", ".join(f"nodes.{name}" for name in _DESCRIPTION)
_VALUES = ", ".join(f"${place}" for place, _ in enumerate(_DESCRIPTION, 1))


def _maybe(row: Record | None) -> Node | None:
    return None if row is None else Node(**dict(row))


async def get(executor: Executor, name: str) -> Node | None:
    return _maybe(await executor.fetchrow(f"{_SELECT} WHERE name = $1", name))


async def listing(executor: Executor) -> list[Node]:
    rows = await executor.fetch(f"{_SELECT} ORDER BY name")
    return [Node(**dict(row)) for row in rows]


async def origins(executor: Executor) -> list[Origin]:
    """All that encoders may publish to, however they are."""
    rows = await executor.fetch(
        f"""
        SELECT {_COLUMNS}, (SELECT count(*) FROM live_streaming_sessions s
            WHERE s.node = name AND s.status IN ('created', 'live', 'reconnecting'))
        FROM nodes WHERE role = 'origin'
        """  # noqa: S608
    )
    return [Origin(Node(*row[:-1]), row[-1]) for row in map(tuple, rows)]


async def lock_places(connection: Connection) -> None:
    """Whoever counts broadcasts against a node's capacity does it alone, and until its
    transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(7130151204984)")


async def save(executor: Executor, node: Node) -> tuple[int, bool] | None:
    """Its id, and whether it is new. None: nothing changed."""
    row = await executor.fetchrow(
        f"""
        INSERT INTO nodes ({_NAMES}) VALUES ({_VALUES})
        ON CONFLICT (name) DO UPDATE SET ({_NAMES}) = ({_VALUES})
            WHERE ({_KNOWN}) IS DISTINCT FROM ({_VALUES})
        RETURNING id, xmax = 0 AS is_new
        """,  # noqa: S608
        *(getattr(node, name) for name in _DESCRIPTION),
    )
    return None if row is None else (row["id"], row["is_new"])


async def id_of(connection: Connection, name: str) -> int | None:
    """Locked."""
    found: int | None = await connection.fetchval(
        "SELECT id FROM nodes WHERE name = $1 FOR NO KEY UPDATE", name
    )
    return found


async def remove(executor: Executor, name: str) -> bool:
    """Raises Missing while sessions, open or ended, name it."""
    return (
        await executor.fetchval(
            "DELETE FROM nodes WHERE name = $1 RETURNING true", name
        )
        is True
    )


async def set_draining(
    executor: Executor, name: str, draining: bool, closed: bool
) -> bool:
    """False when it was so before."""
    return (
        await executor.fetchval(
            "UPDATE nodes SET draining = $2, closed = $3, let_go = 0,"
            " let_go_at = clock_timestamp() WHERE name = $1"
            " AND (draining, closed) <> ($2, $3) RETURNING true",
            name,
            draining,
            closed,
        )
        is True
    )


async def begin_emptying(
    executor: Executor, every: timedelta, unknown: timedelta
) -> list[Node]:
    """The edges that drain and were not looked at for so long. ``unknown``: until a
    cache has asked about everybody who plays there."""
    rows = await executor.fetch(
        f"""
        UPDATE nodes SET let_go_at = clock_timestamp()
        WHERE draining AND role IN ('edge', 'cache') AND NOT lost
            AND let_go_at <= clock_timestamp()
                - CASE WHEN role = 'cache' AND let_go = 0 THEN $2::interval ELSE $1 END
        RETURNING {_COLUMNS}
        """,  # noqa: S608
        every,
        unknown,
    )
    return [Node(**dict(row)) for row in rows]


async def let_go(executor: Executor, name: str, share: float) -> None:
    await executor.execute(
        "UPDATE nodes SET let_go = $2 WHERE name = $1 AND draining", name, share
    )


async def broadcasts(executor: Executor, name: str) -> int:
    """How many run there, or may come back."""
    return int(
        await executor.fetchval(
            "SELECT count(*) FROM live_streaming_sessions"
            " WHERE node = $1 AND status IN ('live', 'reconnecting')",
            name,
        )
    )


async def take_leases(executor: Executor, owner: str) -> set[str]:
    """Those that are ``owner``'s for the next seconds, by Postgres's clock. Waits for
    whoever changes one: passed over, it would seem another's."""
    rows = await executor.fetch(
        """
        WITH taken AS (SELECT name FROM nodes
            WHERE owner IS NULL OR owner = $1 OR lease_until < now()
            ORDER BY name FOR NO KEY UPDATE)
        UPDATE nodes n SET owner = $1, lease_until = now() + $2
        FROM taken WHERE n.name = taken.name RETURNING n.name
        """,
        owner,
        LEASE,
    )
    return {row["name"] for row in rows}


async def drop_leases(executor: Executor, owner: str) -> None:
    await executor.execute(
        "UPDATE nodes SET owner = NULL, lease_until = NULL WHERE owner = $1", owner
    )


async def heard(executor: Executor, name: str, started: str, bits: int) -> Heard | None:
    """It answered. None when there is no such node any more."""
    row = await executor.fetchrow(
        """
        UPDATE nodes n SET silent_since = NULL, silent_because = '', lost = false,
            started = $2, bits = $3
        FROM (SELECT started, lost FROM nodes WHERE name = $1 FOR NO KEY UPDATE) AS old
        WHERE n.name = $1 RETURNING n.id, old.started, old.lost
        """,
        name,
        started,
        bits,
    )
    return None if row is None else Heard(**dict(row))


async def unheard(
    executor: Executor, name: str, because: str, lost_after: timedelta
) -> int | None:
    """It did not answer. Its id when that makes it lost now."""
    lost: int | None = await executor.fetchval(
        """
        UPDATE nodes n SET silent_since = coalesce(n.silent_since, now()),
            silent_because = $2,
            lost = n.lost OR coalesce(n.silent_since, now()) + $3 <= now()
        FROM (SELECT lost FROM nodes WHERE name = $1 FOR NO KEY UPDATE) AS old
        WHERE n.name = $1 RETURNING CASE WHEN n.lost AND NOT old.lost THEN n.id END
        """,
        name,
        because,
        lost_after,
    )
    return lost
