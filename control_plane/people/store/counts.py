"""How many followers, likes and videos each user has.

Rows are locked in the order of their ids, once in a transaction, and after what is
counted (follows, videos): two changes about the same people never wait for each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from control_plane.base.database import Connection
from control_plane.people.model.users import Counts

NAMES = [field.name for field in fields(Counts)]
_SUMS = ", ".join(f"{name} = c.{name} + changes.{name}" for name in NAMES)
#: The end of a query that has a part ``changes``: user_id and the NAMES, one row for
#: each user.
APPLY = f"""
    held AS (
        SELECT user_id FROM user_counts WHERE user_id IN (SELECT user_id FROM changes)
        ORDER BY user_id FOR UPDATE
    )
    UPDATE user_counts c SET {_SUMS} FROM changes JOIN held USING (user_id)
    WHERE c.user_id = changes.user_id
"""  # noqa: S608


def given(first: int) -> str:
    """A part of a query: the rows that :func:`arrays` made, from this parameter on."""
    places = range(first, first + 1 + len(NAMES))
    unnested = ", ".join(f"${place}::integer[]" for place in places)
    names = f"one (user_id, {', '.join(NAMES)})"
    return f"SELECT * FROM unnest({unnested}) AS {names}"  # noqa: S608


def arrays(changes: Sequence[tuple[int, Counts]]) -> list[list[int]]:
    """Users, then each of the NAMES."""
    columns = [[getattr(by, name) for _, by in changes] for name in NAMES]
    return [[user_id for user_id, _ in changes], *columns]


async def change(connection: Connection, changes: Mapping[int, Counts]) -> None:
    """By user. Nothing can become less than zero."""
    ids, *columns = arrays(sorted(changes.items(), key=lambda one: one[0]))
    await connection.execute(
        "INSERT INTO user_counts (user_id) SELECT unnest($1::integer[])"
        " ON CONFLICT (user_id) DO NOTHING",
        ids,
    )
    await connection.execute(
        f"WITH changes AS ({given(1)}), {APPLY}",
        ids,
        *columns,
    )
