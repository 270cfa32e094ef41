"""Users with their counts, as one viewer sees them."""

from collections.abc import Sequence
from dataclasses import fields

from control_plane.base.database import Executor, Record
from control_plane.people.model.users import Profile, User

_USER = ", ".join(f"u.{field.name}" for field in fields(User))
_SELECT = f"""
    SELECT {_USER}, coalesce(c.followers, 0) AS followers,
        coalesce(c.following, 0) AS following, coalesce(c.likes, 0) AS likes,
        coalesce(c.videos, 0) AS videos,
        EXISTS (SELECT FROM follows f WHERE f.follower_id = $1
            AND f.followed_id = u.id) AS followed_by_me,
        EXISTS (SELECT FROM follows f WHERE f.follower_id = u.id
            AND f.followed_id = $1) AS follower_of_me,
        EXISTS (SELECT FROM blocks b WHERE b.user_id = $1
            AND b.block_user_id = u.id) AS blocked_by_me,
        EXISTS (SELECT FROM blocks b WHERE b.user_id = u.id
            AND b.block_user_id = $1) AS blocker_of_me
    FROM users u LEFT JOIN user_counts c ON c.user_id = u.id
"""  # noqa: S608
_NAMES = [field.name for field in fields(User)]
_MORE = [field.name for field in fields(Profile) if field.name != "user"]


async def of(
    executor: Executor, viewer_id: int, user_ids: Sequence[int]
) -> dict[int, Profile]:
    """By id; whoever never existed is missing. ``viewer_id`` 0: a guest."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE u.id = ANY($2)", viewer_id, list(user_ids)
    )
    return {row["id"]: _profile(row) for row in rows}


async def search(
    executor: Executor, viewer_id: int, beginning: str, limit: int, offset: int
) -> list[Profile]:
    """``beginning``: a LIKE pattern in lower case. The exact username first."""
    rows = await executor.fetch(
        f"""
        {_SELECT}
        WHERE u.id IN (
            SELECT id FROM users WHERE lower(username) LIKE $2 AND deleted_at IS NULL
            UNION
            SELECT id FROM users WHERE lower(first_name || ' ' || last_name) LIKE $2
                AND deleted_at IS NULL)
        AND u.banned_at IS NULL
        AND NOT EXISTS (SELECT FROM blocks b
            WHERE (b.user_id = $1 AND b.block_user_id = u.id)
                OR (b.user_id = u.id AND b.block_user_id = $1))
        ORDER BY length(u.username), lower(u.username), u.id LIMIT $3 OFFSET $4
        """,  # noqa: S608
        viewer_id,
        beginning,
        limit,
        offset,
    )
    return [_profile(row) for row in rows]


def _profile(row: Record) -> Profile:
    user = User(**{name: row[name] for name in _NAMES})
    return Profile(user, **{name: row[name] for name in _MORE})
