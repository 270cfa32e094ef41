"""Users and the identities they sign in with."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields

from control_plane.base.database import Connection, Executor, Record
from control_plane.people.model.users import NewUser, ProfileChange, User
from control_plane.people.store import sign_ins
from control_plane.people.store.relations import present

_COLUMNS = ", ".join(f"u.{field.name}" for field in fields(User))
SELECT = f"SELECT {_COLUMNS} FROM users u"  # noqa: S608
_NEW = [field.name for field in fields(NewUser)]
_PLACES = ", ".join(f"${place}" for place in range(1, len(_NEW) + 1))
_CHANGES = ", ".join(
    f"{field.name} = coalesce(${place}, {field.name})"
    for place, field in enumerate(fields(ProfileChange), 2)
)


def _maybe(row: Record | None) -> User | None:
    return None if row is None else User(**dict(row))


async def get(executor: Executor, user_id: int) -> User | None:
    return _maybe(await executor.fetchrow(f"{SELECT} WHERE u.id = $1", user_id))


async def names_of_present(
    executor: Executor, user_ids: Iterable[int]
) -> dict[int, str]:
    """Of those who are neither banned nor deleted: their usernames."""
    rows = await executor.fetch(
        "SELECT id, username FROM users u"  # noqa: S608
        f" WHERE id = ANY($1) AND {present('u')}",
        list(user_ids),
    )
    return {row["id"]: row["username"] for row in rows}


async def by_username(executor: Executor, username: str) -> User | None:
    return _maybe(
        await executor.fetchrow(
            f"{SELECT} WHERE lower(u.username) = lower($1) AND u.username <> ''",
            username,
        )
    )


async def by_identity(executor: Executor, provider: str, subject: str) -> User | None:
    return _maybe(
        await executor.fetchrow(
            f"{SELECT} JOIN identities i ON i.user_id = u.id"
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
    """Raises Taken for the username."""
    return int(
        await connection.fetchval(
            f"INSERT INTO users ({', '.join(_NEW)}) VALUES ({_PLACES}) RETURNING id",  # noqa: S608
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


async def of_tokens(
    executor: Executor, tokens: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], User]:
    """By user and sign-in. Missing: also those whose sign-in was ended."""
    rows = await executor.fetch(
        f"""
        SELECT {_COLUMNS}, asked.sign_in
        FROM unnest($1::integer[], $2::text[]) AS asked (user_id, sign_in)
        JOIN users u ON u.id = asked.user_id
        WHERE NOT {sign_ins.ended("asked.sign_in")}
        """,  # noqa: S608
        [user_id for user_id, _ in tokens],
        [sign_in for _, sign_in in tokens],
    )
    return {(row["id"], row["sign_in"]): User(*row[:-1]) for row in rows}


async def raise_token_version(connection: Connection, user_id: int) -> bool:
    """No token that was signed before counts after it. False: there is no such user."""
    raised = await connection.fetchval(
        "UPDATE users SET token_version = token_version + 1, device_token = ''"
        " WHERE id = $1 AND deleted_at IS NULL RETURNING id",
        user_id,
    )
    return raised is not None


async def ban(connection: Connection, user_id: int, reason: str) -> None:
    """Ends every sign-in too: what was open does not open again with the ban."""
    await connection.execute(
        "UPDATE users SET banned_at = coalesce(banned_at, now()), ban_reason = $2,"
        " token_version = token_version + 1 WHERE id = $1",
        user_id,
        reason,
    )


async def unban(connection: Connection, user_id: int) -> bool:
    changed = await connection.fetchval(
        "UPDATE users SET banned_at = NULL, ban_reason = ''"
        " WHERE id = $1 AND banned_at IS NOT NULL RETURNING id",
        user_id,
    )
    return changed is not None


async def verify_identity(connection: Connection, provider: str, subject: str) -> None:
    await connection.execute(
        "UPDATE identities SET verified = true WHERE provider = $1 AND subject = $2"
        " AND NOT verified",
        provider,
        subject,
    )


async def clear_device_token(executor: Executor, user_id: int) -> None:
    """Nothing is pushed any more, until a phone says again where to."""
    await executor.execute(
        "UPDATE users SET device_token = '' WHERE id = $1 AND device_token <> ''",
        user_id,
    )


async def set_device_token(executor: Executor, user_id: int, token: str) -> None:
    """ "" keeps the one that is there."""
    await executor.execute(
        "UPDATE users SET device_token = $2 WHERE id = $1 AND device_token <> $2"
        " AND $2 <> ''",
        user_id,
        token,
    )


async def change(executor: Executor, user_id: int, changes: ProfileChange) -> None:
    """Raises Taken for the username."""
    await executor.execute(
        f"UPDATE users SET {_CHANGES} WHERE id = $1 AND deleted_at IS NULL",  # noqa: S608
        user_id,
        *astuple(changes),
    )


async def name_taken(executor: Executor, name: str, user_id: int) -> bool:
    """As a username or a channel's name, by anybody but this user."""
    found = await executor.fetchval("SELECT name_taken(lower($1), $2)", name, user_id)
    return found is True


async def email_taken(executor: Executor, email: str) -> bool:
    return bool(
        await executor.fetchval(
            "SELECT EXISTS (SELECT FROM users WHERE lower(email) = lower($1)"
            " AND email <> '')",
            email,
        )
    )


async def phone_taken(executor: Executor, phone: str) -> bool:
    return bool(
        await executor.fetchval(
            "SELECT EXISTS (SELECT FROM users WHERE phone = $1 AND phone <> '')", phone
        )
    )


async def hold(connection: Connection, user_id: int) -> bool:
    """Until the transaction ends nobody deletes the account; False: somebody did."""
    found = await connection.fetchval(
        "SELECT true FROM users WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE",
        user_id,
    )
    return found is True


async def anonymise(connection: Connection, user_id: int) -> bool:
    """False when it was so already. The id stays: the ledger's entries name it."""
    gone = await connection.fetchval(
        """
        UPDATE users SET deleted_at = now(), token_version = token_version + 1,
            username = '', first_name = '', last_name = '', email = '', phone = '',
            bio = '', website = '', gender = '', dob = '', profile_pic = '',
            profile_gif = '', device_token = '', device = '', version = '',
            private = true
        WHERE id = $1 AND deleted_at IS NULL RETURNING id
        """,
        user_id,
    )
    # After that: a sign-in holds the account, and may have been adding one.
    await connection.execute("DELETE FROM identities WHERE user_id = $1", user_id)
    return gone is not None
