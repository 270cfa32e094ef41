"""Users and the identities they sign in with."""

from dataclasses import astuple, fields

import asyncpg

from control_plane.model.users import NewUser, User
from control_plane.store.database import Connection, Executor

_COLUMNS = ", ".join(f"u.{field.name}" for field in fields(User))
_SELECT = f"SELECT {_COLUMNS} FROM users u"  # noqa: S608


def _maybe(row: asyncpg.Record | None) -> User | None:
    return None if row is None else User(**dict(row))


async def get(executor: Executor, user_id: int) -> User | None:
    return _maybe(await executor.fetchrow(f"{_SELECT} WHERE u.id = $1", user_id))


async def by_username(executor: Executor, username: str) -> User | None:
    return _maybe(
        await executor.fetchrow(
            f"{_SELECT} WHERE lower(u.username) = lower($1) AND u.username <> ''",
            username,
        )
    )


async def by_identity(executor: Executor, provider: str, subject: str) -> User | None:
    return _maybe(
        await executor.fetchrow(
            f"{_SELECT} JOIN identities i ON i.user_id = u.id"
            " WHERE i.provider = $1 AND i.subject = $2",
            provider,
            subject,
        )
    )


async def lock_identity(connection: Connection, provider: str, subject: str) -> None:
    """Two sign-ups of one person at the same moment make one account."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 7))",
        f"{provider}\n{subject}",
    )


async def create(connection: Connection, new: NewUser) -> int:
    """Raises UniqueViolationError when the username is taken."""
    return int(
        await connection.fetchval(
            """
            INSERT INTO users (username, first_name, last_name, email, phone, dob,
                profile_pic, device_token)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id
            """,
            *astuple(new),
        )
    )


async def add_identity(
    connection: Connection, provider: str, subject: str, user_id: int, verified: bool
) -> None:
    await connection.execute(
        "INSERT INTO identities (provider, subject, user_id, verified)"
        " VALUES ($1, $2, $3, $4)",
        provider,
        subject,
        user_id,
        verified,
    )


async def ban(connection: Connection, user_id: int, reason: str) -> bool:
    changed = await connection.fetchval(
        "UPDATE users SET banned_at = now(), ban_reason = $2"
        " WHERE id = $1 AND banned_at IS NULL RETURNING id",
        user_id,
        reason,
    )
    return changed is not None


async def unban(connection: Connection, user_id: int) -> bool:
    changed = await connection.fetchval(
        "UPDATE users SET banned_at = NULL, ban_reason = ''"
        " WHERE id = $1 AND banned_at IS NOT NULL RETURNING id",
        user_id,
    )
    return changed is not None
