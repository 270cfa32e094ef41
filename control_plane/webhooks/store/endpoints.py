"""The table of endpoints, and who delivers to them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from control_plane.base.database import Executor, Record
from control_plane.events.model import Position
from control_plane.webhooks.model.endpoints import (
    FAILING,
    GONE,
    Endpoint,
    Lag,
    Trouble,
    Wish,
)

LEASE = timedelta(seconds=10)

_COLUMNS = (
    "id, url, types, description, enabled, disabled_because, switched, generation,"
    " old_until, era, xid::text::bigint AS xid, event_id, failing_since, created_at"
)
_SELECT = f"SELECT {_COLUMNS} FROM webhook_endpoints"  # noqa: S608


async def add(executor: Executor, wish: Wish, at: Position, because: str) -> int:
    """Switched off, for now."""
    return int(
        await executor.fetchval(
            """
            INSERT INTO webhook_endpoints (url, types, description, disabled_because,
                era, xid, event_id)
            VALUES ($1, $2, $3, $4, $5, $6::text::xid8, $7) RETURNING id
            """,
            wish.url,
            list(wish.types),
            wish.description,
            because,
            at.era,
            str(at.xid),
            at.id,
        )
    )


async def get(executor: Executor, endpoint_id: int) -> Endpoint | None:
    row = await executor.fetchrow(f"{_SELECT} WHERE id = $1", endpoint_id)
    return None if row is None else _endpoint(row)


async def listing(executor: Executor) -> list[Endpoint]:
    return [_endpoint(row) for row in await executor.fetch(f"{_SELECT} ORDER BY id")]


async def change(executor: Executor, endpoint_id: int, wish: Wish) -> bool:
    """Other types count as a switch: whoever still delivers by the old ones passes over
    what is wanted now, and may not save a place behind it."""
    return (
        await executor.fetchval(
            "UPDATE webhook_endpoints SET url = $2, types = $3, description = $4,"
            " switched = switched + (types <> $3)::int"
            " WHERE id = $1 RETURNING true",
            endpoint_id,
            wish.url,
            list(wish.types),
            wish.description,
        )
        is True
    )


async def remove(executor: Executor, endpoint_id: int) -> bool:
    """With all that waits for it."""
    return (
        await executor.fetchval(
            "DELETE FROM webhook_endpoints WHERE id = $1 RETURNING true", endpoint_id
        )
        is True
    )


async def switch_on(
    executor: Executor, endpoint_id: int, url: str, skip_to: Position | None
) -> bool:
    """It goes on where it was, or there. False: that is not its address any more."""
    to = skip_to or Position(0, 0, 0)
    found = await executor.fetchval(
        """
        UPDATE webhook_endpoints SET enabled = true, disabled_because = '',
            switched = switched + 1,
            failing_since = NULL,
            era = CASE WHEN $2 THEN $3 ELSE era END,
            xid = CASE WHEN $2 THEN $4::text::xid8 ELSE xid END,
            event_id = CASE WHEN $2 THEN $5 ELSE event_id END
        WHERE id = $1 AND url = $6
        RETURNING true
        """,
        endpoint_id,
        skip_to is not None,
        to.era,
        str(to.xid),
        to.id,
        url,
    )
    return found is True


async def switch_off(executor: Executor, endpoint_id: int, because: str) -> bool:
    return (
        await executor.fetchval(
            "UPDATE webhook_endpoints SET enabled = false, disabled_because = $2,"
            " switched = switched + 1 WHERE id = $1 RETURNING true",
            endpoint_id,
            because,
        )
        is True
    )


async def give_up(executor: Executor, endpoint_id: int, because: str) -> bool:
    """False when it is switched off already."""
    return (
        await executor.fetchval(
            "UPDATE webhook_endpoints SET enabled = false, disabled_because = $2,"
            " switched = switched + 1 WHERE id = $1 AND enabled RETURNING true",
            endpoint_id,
            because,
        )
        is True
    )


async def rotate(
    executor: Executor, endpoint_id: int, overlap: timedelta, most: int
) -> bool:
    """A new secret. The one before it counts for a while, those before that for as long
    as was said then; without a while none does. False: ``most`` of them count as it
    is."""
    return (
        await executor.fetchval(
            "UPDATE webhook_endpoints SET generation = generation + 1,"
            " old_until = CASE WHEN $2::interval > '0'"
            " THEN (array_prepend(now() + $2::interval, old_until))[:$3::int]"
            " ELSE '{}' END WHERE id = $1 AND ($2::interval = '0'"
            " OR coalesce(old_until[$3::int] <= now(), true)) RETURNING true",
            endpoint_id,
            overlap,
            most,
        )
        is True
    )


async def lags(executor: Executor) -> list[Lag]:
    rows = await executor.fetch(
        """
        SELECT w.id, disabled_because,
            coalesce(extract(epoch FROM now() -
                CASE WHEN enabled THEN failing_since END), 0)::float AS failing,
            coalesce(extract(epoch FROM now() - (
                SELECT e.created_at FROM events e WHERE enabled AND e.era = w.era
                AND (e.xid, e.id) > (w.xid, w.event_id) ORDER BY e.xid, e.id LIMIT 1
            )), 0)::float AS behind,
            (SELECT count(*) FROM webhook_parked p WHERE p.endpoint_id = w.id)
                AS parked,
            (SELECT count(*) FROM webhook_dead_letters d WHERE d.endpoint_id = w.id)
                AS dead
        FROM webhook_endpoints w ORDER BY id
        """
    )
    return [Lag(**dict(row)) for row in rows]


async def troubles(executor: Executor) -> list[Trouble]:
    rows = await executor.fetch(
        """
        SELECT id, url, failing_since, enabled, CASE WHEN enabled THEN coalesce((
            SELECT CASE WHEN status = 0 THEN error ELSE 'it answered ' || error END
            FROM webhook_attempts WHERE endpoint_id = w.id ORDER BY id DESC LIMIT 1
        ), '') ELSE disabled_because END AS because
        FROM webhook_endpoints w WHERE enabled AND failing_since IS NOT NULL
            OR NOT enabled AND disabled_because = ANY($1) ORDER BY id
        """,
        [GONE, FAILING],
    )
    return [Trouble(**dict(row)) for row in rows]


async def take_leases(executor: Executor, owner: str) -> list[Endpoint]:
    """Those that are ``owner``'s for the next seconds, by Postgres's clock. Waits for
    whoever changes one: passed over, it would seem another's."""
    rows = await executor.fetch(
        "WITH taken AS (SELECT id FROM webhook_endpoints WHERE enabled"  # noqa: S608
        " AND (owner IS NULL OR owner = $1 OR lease_until < now())"
        " ORDER BY id FOR UPDATE)"
        " UPDATE webhook_endpoints SET owner = $1, lease_until = now() + $2"
        f" WHERE id IN (SELECT id FROM taken) RETURNING {_COLUMNS}",
        owner,
        LEASE,
    )
    return [_endpoint(row) for row in rows]


async def drop_leases(executor: Executor, owner: str) -> None:
    await executor.execute(
        "UPDATE webhook_endpoints SET owner = NULL, lease_until = NULL"
        " WHERE owner = $1",
        owner,
    )


async def save_position(
    executor: Executor, endpoint: Endpoint, owner: str, at: Position
) -> bool:
    """False when it is another's now, or switched off."""
    return (
        await executor.fetchval(
            "UPDATE webhook_endpoints SET era = $3, xid = $4::text::xid8, event_id = $5"
            " WHERE id = $1 AND owner = $2 AND switched = $6 RETURNING true",
            endpoint.id,
            owner,
            at.era,
            str(at.xid),
            at.id,
            endpoint.switched,
        )
        is True
    )


async def note_failing(
    executor: Executor, endpoint_id: int, owner: str, longest_silence: timedelta
) -> datetime | None:
    """Since when it takes nothing, without a longer silence in between. None when it is
    another's now, who would not know that this was noted."""
    since: datetime | None = await executor.fetchval(
        "UPDATE webhook_endpoints SET failed_at = now(), failing_since = CASE"
        " WHEN failed_at > now() - $3::interval THEN coalesce(failing_since, now())"
        " ELSE now() END WHERE id = $1 AND owner = $2 RETURNING failing_since",
        endpoint_id,
        owner,
        longest_silence,
    )
    return since


async def note_taking(executor: Executor, endpoint_id: int) -> None:
    await executor.execute(
        "UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1", endpoint_id
    )


def _endpoint(row: Record) -> Endpoint:
    values = dict(row)
    at = Position(values.pop("era"), values.pop("xid"), values.pop("event_id"))
    types: Sequence[str] = tuple(values.pop("types"))
    return Endpoint(position=at, types=types, **values)
