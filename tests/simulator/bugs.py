"""Bugs put in on purpose, to see that the simulator finds them."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

from control_plane.base.database import Connection
from control_plane.coins.store import idempotency
from control_plane.events import store as events
from control_plane.events.model import Event
from control_plane.live.model.sessions import LiveSession
from control_plane.live.store import owed_cuts, sessions
from control_plane.webhooks.model.messages import Answer
from control_plane.webhooks.service.pump import Pump


async def _make_reconnecting(
    connection: Connection, node: str, path: str, _publisher_id: str
) -> LiveSession | None:
    """Whoever's end it is."""
    session_id = await connection.fetchval(
        "UPDATE live_streaming_sessions SET status = 'reconnecting',"
        " reconnect_until = now() + make_interval(secs => reconnect_window),"
        " publisher_type = NULL, publisher_id = NULL, publisher_key_id = NULL"
        " WHERE node = $1 AND path = $2 AND status = 'live' RETURNING id",
        node,
        path,
    )
    return None if session_id is None else await sessions.get(connection, session_id)


async def _failed_again(self: Pump, one: Any, event: Event, _: Answer) -> None:
    """It goes on with the next one."""
    one.of = replace(one.of, seq=event.seq + 1, attempts=0)


async def _finds_nothing(*_: object) -> Mapping[object, object]:
    return {}


async def _saves_nothing(*_: object) -> None:
    pass


#: What stands in for what.
BUGS: Mapping[str, list[tuple[object, str, object]]] = {
    "fencing": [(sessions, "make_reconnecting", _make_reconnecting)],
    "cursor": [(events, "_COMPLETE", "true")],
    "retry": [(Pump, "_failed_again", _failed_again)],
    "retried gift": [
        (idempotency, "find", _finds_nothing),
        (idempotency, "save", _saves_nothing),
    ],
    "owed cut": [(owed_cuts, "due", _finds_nothing)],
}


@contextlib.contextmanager
def bug(name: str) -> Iterator[None]:
    """Nothing: none. Raises KeyError."""
    with contextlib.ExitStack() as stack:
        for target, attribute, value in BUGS[name] if name else ():
            stack.enter_context(mock.patch.object(target, attribute, value))
        yield
