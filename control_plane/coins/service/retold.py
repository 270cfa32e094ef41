"""What happened in a session, told again later. The log keeps what it said at the time;
who is gone since then is no one in it any more."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from msgspec import convert

from control_plane.base.database import Pool
from control_plane.events.model import Event
from control_plane.events.reading import Reading
from control_plane.people.store import users


class Retold:
    def __init__(self, pool: Pool, reading: Reading) -> None:
        self._pool = pool
        self._reading = reading

    async def of_session(self, session_id: int, seq: int) -> Sequence[Event]:
        """As ``Reading`` has it, with senders' names of today: none of who is banned
        or has deleted the account."""
        events = await self._reading.of_session(session_id, seq)
        gifts = [event for event in events if event.type == "gift.sent"]
        if not gifts:
            return events
        senders = {_sender(gift) for gift in gifts}
        names = await users.names_of_present(self._pool, senders)
        return [_renamed(event, names) for event in events]


def _renamed(event: Event, names: Mapping[int, str]) -> Event:
    if event.type != "gift.sent":
        return event
    name = names.get(_sender(event), "")
    return replace(event, data={**event.data, "sender": name})


def _sender(gift: Event) -> int:
    return convert(gift.data["sender_id"], int)
