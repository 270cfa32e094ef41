"""How many followers, likes and videos each user has.

Rows are locked in the order of their ids: two changes about the same people never
wait for each other.
"""

from collections.abc import Mapping
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


async def change(connection: Connection, changes: Mapping[int, Counts]) -> None:
    """By user. Nothing can become less than zero."""
    ids = sorted(changes)
    await connection.execute(
        "INSERT INTO user_counts (user_id) SELECT unnest($1::integer[])"
        " ON CONFLICT (user_id) DO NOTHING",
        ids,
    )
    columns = [[getattr(changes[user_id], name) for user_id in ids] for name in NAMES]
    arrays = ", ".join(f"${place}::integer[]" for place in range(1, len(NAMES) + 2))
    await connection.execute(
        "WITH changes AS (SELECT *"  # noqa: S608
        f" FROM unnest({arrays}) AS one (user_id, {', '.join(NAMES)})), {APPLY}",
        ids,
        *columns,
    )
