"""Accounts as operators look for them: those who are banned or gone too."""

from control_plane.base.database import Executor
from control_plane.people.model.users import User
from control_plane.people.store.users import SELECT

LAST = "\U0010ffff"  # behind whatever follows a beginning


async def newest(
    executor: Executor, *, banned: bool, before: int, limit: int
) -> list[User]:
    rows = await executor.fetch(
        f"{SELECT} WHERE u.id < $2 AND (NOT $1 OR u.banned_at IS NOT NULL)"
        " ORDER BY u.id DESC LIMIT $3",
        banned,
        before,
        limit,
    )
    return [User(**dict(row)) for row in rows]


async def search(
    executor: Executor,
    words: str,
    user_id: int,
    *,
    banned: bool,
    before: int,
    limit: int,
) -> list[User]:
    """``words``: in lower case: the beginning of a username or of a name, or a whole
    e-mail address or phone number. ``user_id``: or this one. ``banned``: of these who
    is."""
    rows = await executor.fetch(
        f"""
        {SELECT} WHERE u.id < $4 AND u.id IN (
            SELECT id FROM users WHERE id = $3
            UNION SELECT id FROM users WHERE lower(email) = $1 AND email <> ''
            UNION SELECT id FROM users WHERE phone = $1 AND phone <> ''
            UNION SELECT id FROM users WHERE lower(username) ~>=~ $1
                AND lower(username) ~<~ $2 AND deleted_at IS NULL AND banned_at IS NULL
            UNION SELECT id FROM users
                WHERE lower(first_name || ' ' || last_name) ~>=~ $1
                AND lower(first_name || ' ' || last_name) ~<~ $2
                AND deleted_at IS NULL AND banned_at IS NULL
            UNION SELECT id FROM users WHERE banned_at IS NOT NULL
                AND (starts_with(lower(username), $1)
                    OR starts_with(lower(first_name || ' ' || last_name), $1)))
        AND (NOT $6 OR u.banned_at IS NOT NULL)
        ORDER BY u.id DESC LIMIT $5
        """,  # noqa: S608
        words,
        words + LAST,
        user_id,
        before,
        limit,
        banned,
    )
    return [User(**dict(row)) for row in rows]
