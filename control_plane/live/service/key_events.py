"""What a user's keys lived through."""

from collections.abc import Sequence

from control_plane.base.database import Connection
from control_plane.events.log import append_user_events


async def superseded(
    connection: Connection, user_id: int, session_id: int, key_ids: Sequence[int]
) -> None:
    happened = [(user_id, {"key_id": i, "session_id": session_id}) for i in key_ids]
    await append_user_events(connection, "key.superseded", happened)
