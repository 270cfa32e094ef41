"""Users with their counts, as one viewer sees them."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from control_plane.base.database import Executor
from control_plane.people.model.users import Profile, User
from control_plane.people.store import counts, relations

_USER_FIELDS = [field.name for field in fields(User)]
_MORE = [field.name for field in fields(Profile) if field.name != "user"]
_COUNTS = ", ".join(f"coalesce(c.{name}, 0)" for name in counts.NAMES)
_NAME = "lower(first_name || ' ' || last_name)"
FROM = "users u LEFT JOIN user_counts c ON c.user_id = u.id"
WIDTH = len(_USER_FIELDS) + len(_MORE)


def columns(viewer: str) -> str:
    """WIDTH of them, for :func:`read`. ``viewer`` is SQL, as in ``relations``."""
    own = ", ".join(f"u.{name}" for name in _USER_FIELDS)
    return f"""
        {own}, {_COUNTS},
        {relations.follows(viewer, "u.id")}, {relations.follows("u.id", viewer)},
        {relations.blocks(viewer, "u.id")}, {relations.blocks("u.id", viewer)}
    """


def read(values: Sequence[Any]) -> Profile:
    """From as many values as there are columns."""
    user = User(*values[: len(_USER_FIELDS)])
    return Profile(user, *values[len(_USER_FIELDS) :])


_SELECT = f"SELECT {columns('$1')} FROM {FROM}"  # noqa: S608


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
    executor: Executor, viewer_id: int, user_ids: Iterable[int]
) -> dict[int, Profile]:
    """By id; whoever never existed is missing. ``viewer_id`` 0: a guest."""
    found = await of_pairs(executor, [(viewer_id, one) for one in user_ids])
    return {user_id: profile for (_, user_id), profile in found.items()}


async def of_pairs(
    executor: Executor, pairs: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Profile]:
    """By who looks and at whom."""
    rows = await executor.fetch(
        f"""
        SELECT {columns("asked.viewer")}, asked.viewer
        FROM unnest($1::integer[], $2::integer[]) AS asked (viewer, id)
        JOIN ({FROM}) ON u.id = asked.id
        """,  # noqa: S608
        [viewer for viewer, _ in pairs],
        [user_id for _, user_id in pairs],
    )
    return {(row["viewer"], row["id"]): read(row[:WIDTH]) for row in rows}


async def named(executor: Executor, viewer_id: int, username: str) -> Profile | None:
    row = await executor.fetchrow(
        f"{_SELECT} WHERE lower(u.username) = lower($2) AND u.username <> ''",
        viewer_id,
        username,
    )
    return None if row is None else read(row[:WIDTH])


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
    return [read(row[:WIDTH]) for row in rows]
