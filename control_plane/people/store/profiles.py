"""Users with their counts, as one viewer sees them."""

from collections.abc import Sequence
from dataclasses import fields

from control_plane.base.database import Executor, Record
from control_plane.people.model.users import Profile, User
from control_plane.people.store import counts, relations

_USER = ", ".join(f"u.{field.name}" for field in fields(User))
_USER_FIELDS = [field.name for field in fields(User)]
_COUNTS = ", ".join(f"coalesce(c.{name}, 0) AS {name}" for name in counts.NAMES)
_SELECT = f"""
    SELECT {_USER}, {_COUNTS},
        {relations.follows("$1", "u.id")} AS followed_by_me,
        {relations.follows("u.id", "$1")} AS follower_of_me,
        {relations.blocks("$1", "u.id")} AS blocked_by_me,
        {relations.blocks("u.id", "$1")} AS blocker_of_me
    FROM users u LEFT JOIN user_counts c ON c.user_id = u.id
"""  # noqa: S608
_MORE = [field.name for field in fields(Profile) if field.name != "user"]
_NAME = "lower(first_name || ' ' || last_name)"


def _first(name: str) -> str:
    """Of those whose ``name`` begins so. A short beginning may be everybody's, so the
    index gives its first few and no more."""
    return f"""
        (SELECT id FROM users f WHERE {name} ~>=~ $2 AND {name} ~<~ $3
            AND {relations.present("f")} ORDER BY {name} USING ~<~ LIMIT $4)
    """  # noqa: S608


SEARCH = f"""
    {_SELECT} WHERE u.id IN ({_first("lower(username)")} UNION {_first(_NAME)})
    AND NOT {relations.apart("u.id", "$1")}
    ORDER BY length(u.username), lower(u.username), u.id LIMIT $5 OFFSET $6
"""
#: Sorts behind whatever a name can go on with.
LAST = "\U0010ffff"


async def of(
    executor: Executor, viewer_id: int, user_ids: Sequence[int]
) -> dict[int, Profile]:
    """By id; whoever never existed is missing. ``viewer_id`` 0: a guest."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE u.id = ANY($2)", viewer_id, list(user_ids)
    )
    return {row["id"]: _profile(row) for row in rows}


async def search(
    executor: Executor,
    viewer_id: int,
    beginning: str,
    most: int,
    limit: int,
    offset: int,
) -> list[Profile]:
    """``beginning``: in lower case. Of those whose username begins so, and of those
    whose name does, the first ``most``; the shortest username first."""
    rows = await executor.fetch(
        SEARCH, viewer_id, beginning, beginning + LAST, most, limit, offset
    )
    return [_profile(row) for row in rows]


def _profile(row: Record) -> Profile:
    user = User(**{name: row[name] for name in _USER_FIELDS})
    return Profile(user, **{name: row[name] for name in _MORE})
