"""Opening sessions, and opening them once more."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from control_plane.base.database import Connection, Executor, Record
from control_plane.live.model.keys import MOST_OF_SESSION
from control_plane.live.model.rights import WatchTerms
from control_plane.live.model.sessions import BROKEN_OFF
from control_plane.live.model.starts import Opened, Wanted
from control_plane.live.store import watching

#: Part of a query: what is wanted, one row for each user.
_ASKED = """
    asked AS (
        SELECT * FROM unnest($1::integer[], $2::bytea[], $3::text[], $4::interval[],
            $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[])
            AS one (user_id, hash, hint, within, device, title, cover,
                client_started_at, reconnect_window)
    )
"""
#: The end of a query whose part ``mine`` has a session for each of ``asked``: new keys
#: for them, and all that their hosts are told; ``retired`` are keys that make room.
_WITH_KEYS = f"""
    made AS (
        INSERT INTO stream_keys (user_id, session_id, hash, hint, expires_at, device)
        SELECT user_id, mine.id, hash, hint, now() + within, device
        FROM mine JOIN asked USING (user_id) RETURNING id, session_id, expires_at
    )
    SELECT {watching.COLUMNS}, k.id AS key_id, k.expires_at AS key_expires_at,
        ARRAY(SELECT id FROM retired r WHERE r.session_id = s.id) AS retired,
        s.other_title, s.other_cover
    FROM mine s JOIN users u ON u.id = s.user_id JOIN nodes n ON n.name = s.node
    JOIN made k ON k.session_id = s.id
"""  # noqa: S608
_MORE = 5  # columns of it behind those of a broadcast


def _columns(wanted: Sequence[Wanted]) -> list[list[object]]:
    rows = [
        (
            *(one.user_id, one.key.hash, one.key.hint, one.key.within, one.key.device),
            *(one.start.title, one.start.cover, one.start.client_started_at),
            one.start.reconnect_window,
        )
        for one in wanted
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def _opened(rows: Iterable[Record]) -> dict[int, Opened]:
    found = {}
    for row in rows:
        of = watching.broadcast(row[:-_MORE])
        found[of.session.user_id] = Opened(of.session, of.node, *row[-_MORE:])
    return found


async def on_own_path(
    connection: Connection,
    wanted: Mapping[Wanted, str],
    reconnect_window: int,
    longest: timedelta,
) -> dict[int, Opened]:
    """By user. Open sessions, each on a path of its own and on the node given with it.
    ``reconnect_window``: of who wants no other. Raises Taken when one of them has a
    session open already, Missing when a node was removed."""
    if not wanted:
        return {}
    rows = await connection.fetch(
        f"""
        WITH {_ASKED}, next AS (
            SELECT nextval(pg_get_serial_sequence(
                'live_streaming_sessions', 'id'))::integer AS id,
                asked.*, placed.node
            FROM asked JOIN unnest($1::integer[], $12::text[])
                AS placed (user_id, node) USING (user_id)
        ), mine AS (
            INSERT INTO live_streaming_sessions (id, user_id, path, node, status,
                title, cover, client_started_at, reconnect_window, longest,
                expires_at)
            SELECT id, user_id, 'live/' || id, node, 'created', title, cover,
                client_started_at, coalesce(reconnect_window, $10), $11, now() + within
            FROM next RETURNING *, false AS other_title, false AS other_cover
        ), retired AS (SELECT 0 AS id, 0 AS session_id WHERE false), {_WITH_KEYS}
        """,  # noqa: S608
        *_columns(list(wanted)),
        reconnect_window,
        longest,
        list(wanted.values()),
    )
    return _opened(rows)


async def again(executor: Executor, wanted: Sequence[Wanted]) -> dict[int, Opened]:
    """By user, of those who have a session open: one more key, a later first publish,
    and a new title or cover if given. All but the newest keys that nobody has published
    with make room."""
    rows = await executor.fetch(
        f"""
        WITH {_ASKED}, held AS (
            SELECT s.id, s.title, s.cover FROM live_streaming_sessions s
            WHERE user_id IN (SELECT user_id FROM asked)
                AND status IN ('created', 'live', 'reconnecting')
            ORDER BY s.id FOR NO KEY UPDATE
        ), mine AS (
            UPDATE live_streaming_sessions s SET
                title = coalesce(nullif(asked.title, ''), s.title),
                cover = coalesce(nullif(asked.cover, ''), s.cover),
                expires_at = CASE WHEN s.status = 'created'
                    THEN greatest(s.expires_at, now() + within) ELSE s.expires_at END
            FROM held, asked WHERE s.id = held.id AND s.user_id = asked.user_id
            RETURNING s.*, s.title <> held.title AS other_title,
                s.cover <> held.cover AS other_cover
        ), retired AS (
            UPDATE stream_keys SET superseded_at = now() WHERE id IN (
                SELECT k.id FROM mine, LATERAL (
                    SELECT id FROM stream_keys WHERE session_id = mine.id
                        AND first_published_at IS NULL
                        AND revoked_at IS NULL AND superseded_at IS NULL
                    ORDER BY id DESC OFFSET $10) k) RETURNING id, session_id
        ), {_WITH_KEYS}
        """,  # noqa: S608
        *_columns(wanted),
        # Besides the new one, which is not seen, and the one of the publisher.
        MOST_OF_SESSION - 2,
    )
    return _opened(rows)


async def live_on_channel(
    connection: Connection,
    *,
    channel_id: int,
    node: str,
    publisher_type: str,
    publisher_id: str,
    key_id: int | None,
    reconnect_window: int,
    longest: timedelta,
) -> tuple[int, WatchTerms]:
    """Who may watch is as the channel's last session had it: an encoder that comes
    back by itself opens nothing to more people. Whom its host denied stays out where
    that session did not end by anybody's wish."""
    row = await connection.fetchrow(
        """
        WITH last AS (
            SELECT s.id, policy, ticket_price, end_reason
            FROM live_streaming_sessions s JOIN channels c USING (user_id)
            WHERE c.id = $1 AND s.channel_id = c.id ORDER BY s.id DESC LIMIT 1
        ), made AS (
            INSERT INTO live_streaming_sessions (user_id, channel_id, path, node,
                status, started_at, publisher_type, publisher_id, publisher_key_id,
                reconnect_window, longest, policy, ticket_price, token_epoch)
            SELECT user_id, c.id, path, $2, 'live', now(), $3, $4, $5, $6, $7,
                coalesce(last.policy, 'default'), coalesce(last.ticket_price, 0),
                CASE WHEN coalesce(last.policy, 'default') = 'default'
                    THEN 0 ELSE nextval('token_epochs') END
            FROM channels c LEFT JOIN last ON true WHERE c.id = $1
            RETURNING id, policy, ticket_price
        ), denied AS (
            INSERT INTO viewer_denials (session_id, user_id, viewer)
            SELECT made.id, d.user_id, d.viewer
            FROM made, last JOIN viewer_denials d ON d.session_id = last.id
            WHERE epoch IS NULL AND end_reason = ANY($8)
        )
        SELECT id, policy, ticket_price FROM made
        """,
        channel_id,
        node,
        publisher_type,
        publisher_id,
        key_id,
        reconnect_window,
        longest,
        list(BROKEN_OFF),
    )
    if row is None:
        raise LookupError(channel_id)
    return row["id"], WatchTerms(row["policy"], row["ticket_price"])


async def keep(executor: Executor, session_id: int, within: timedelta) -> None:
    """One that is still without a picture is used. A tenth late at most, so that a
    phone that asks again and again writes seldom."""
    await executor.execute(
        """
        UPDATE live_streaming_sessions SET expires_at = now() + $2
        WHERE id = $1 AND status = 'created' AND expires_at < now() + $2::interval * 0.9
        """,
        session_id,
        within,
    )
