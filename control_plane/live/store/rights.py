"""Who may watch which session, and who may not any more."""

from collections.abc import Sequence

from control_plane.base.database import Connection, Executor
from control_plane.live.model.bans import Client
from control_plane.live.model.previews import Subject
from control_plane.live.model.rights import Gone, Policy, Right, Seen
from control_plane.live.store.bans import banned
from control_plane.live.store.tickets import held
from control_plane.people.store.relations import apart, follows


async def set_policy(
    connection: Connection, session_id: int, policy: Policy, ticket_price: int
) -> bool:
    """With another policy everybody has to ask for a token again. False when it was so
    already."""
    changed = await connection.fetchval(
        """
        UPDATE live_streaming_sessions
        SET policy = $2, ticket_price = $3, token_epoch = CASE
            WHEN policy = $2 THEN token_epoch ELSE nextval('token_epochs') END
        WHERE id = $1 AND (policy, ticket_price) <> ($2, $3) RETURNING true
        """,
        session_id,
        policy,
        ticket_price,
    )
    return changed is True


async def take_back_tokens(connection: Connection, session_id: int) -> None:
    """All that were given out for this session."""
    await connection.execute(
        "UPDATE live_streaming_sessions SET token_epoch = nextval('token_epochs')"
        " WHERE id = $1",
        session_id,
    )


async def deny(
    connection: Connection, session_id: int, user_id: int | None, viewer: str | None
) -> bool:
    """One of the two, for good. False when it was denied already."""
    denied = await connection.fetchval(
        """
        INSERT INTO viewer_denials (session_id, user_id, viewer) VALUES ($1, $2, $3)
        ON CONFLICT ON CONSTRAINT denied_once DO UPDATE SET epoch = NULL
            WHERE viewer_denials.epoch IS NOT NULL
        RETURNING true
        """,
        session_id,
        user_id,
        viewer,
    )
    return denied is True


async def count_denied(executor: Executor, session_id: int) -> int:
    return int(
        await executor.fetchval(
            "SELECT count(*) FROM viewer_denials"
            " WHERE session_id = $1 AND epoch IS NULL",
            session_id,
        )
    )


async def take_back(
    connection: Connection, session_id: int, user_id: int | None, viewer: str | None
) -> None:
    """The tokens of one of the two. They may ask for another one."""
    await connection.execute(
        """
        INSERT INTO viewer_denials (session_id, user_id, viewer, epoch)
        VALUES ($1, $2, $3, nextval('token_epochs'))
        ON CONFLICT ON CONSTRAINT denied_once DO UPDATE SET epoch = excluded.epoch
            WHERE viewer_denials.epoch IS NOT NULL
        """,
        session_id,
        user_id,
        viewer,
    )


async def right(
    executor: Executor,
    session_id: int,
    host_id: int,
    user_id: int,
    viewer: str,
    client: Client,
) -> Right:
    row = await executor.fetchrow(
        f"""
        SELECT {banned("$5", "$6")} AS banned,
            count(*) FILTER (WHERE epoch IS NULL) > 0
                OR {apart("$2", "$3")} AS denied,
            {follows("$3", "$2")} AS follows,
            {held("$3", "$1")} AS has_ticket,
            coalesce(max(epoch), 0) AS epoch
        FROM viewer_denials WHERE session_id = $1 AND (user_id = $3 OR viewer = $4)
        """,  # noqa: S608
        session_id,
        host_id,
        user_id,
        viewer,
        client.device,
        client.address,
    )
    if row is None:
        raise LookupError(session_id)
    return Right(**dict(row))


async def gone(
    executor: Executor, seen: Sequence[Seen], tokens_needed: Sequence[str]
) -> list[tuple[Seen, Gone]]:
    """Those who would not be let in now. ``tokens_needed``: the policies under which
    signing out is an end."""
    rows = await executor.fetch(
        f"""
        SELECT * FROM (
            SELECT seen.nth, CASE
                WHEN u.banned_at IS NOT NULL OR u.deleted_at IS NOT NULL
                    THEN 'account_gone'
                WHEN u.token_version > seen.version AND s.policy = ANY($4)
                    THEN 'signed_out'
                WHEN {apart("u.id", "s.user_id")} THEN 'blocked'
                WHEN s.policy = 'followers' AND u.id <> s.user_id
                    AND NOT {follows("u.id", "s.user_id")} THEN 'not_following'
                WHEN s.policy = 'paid' AND u.id <> s.user_id
                    AND NOT {held("u.id", "s.id")} THEN 'no_ticket'
            END AS reason
            FROM unnest($1::integer[], $2::integer[], $3::integer[])
                WITH ORDINALITY AS seen (session_id, user_id, version, nth)
            JOIN live_streaming_sessions s ON s.id = seen.session_id
            JOIN users u ON u.id = seen.user_id
        ) AS judged WHERE reason IS NOT NULL ORDER BY nth
        """,  # noqa: S608
        [one.session_id for one in seen],
        [one.user_id for one in seen],
        [one.version for one in seen],
        list(tokens_needed),
    )
    return [(seen[row["nth"] - 1], row["reason"]) for row in rows]


async def subject(executor: Executor, session_id: int) -> Subject | None:
    row = await executor.fetchrow(
        """
        SELECT s.path, s.policy, s.token_epoch, s.end_reason,
            u.banned_at IS NOT NULL OR u.deleted_at IS NOT NULL AS gone
        FROM live_streaming_sessions s JOIN users u ON u.id = s.user_id
        WHERE s.id = $1
        """,
        session_id,
    )
    return None if row is None else Subject(**dict(row))
