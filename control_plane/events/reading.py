"""The log by cursor."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from control_plane.base.database import Pool
from control_plane.base.refusals import Empty
from control_plane.events import store
from control_plane.events.model import Event, Position, Subject

SCANNED = store.MOST  # events at once
MOST_SCANNED = 20_000  # events for one page, when few are of the wanted types

#: Events of a session that anybody may read again, and how many in one go.
NEWEST, AT_ONCE = 5000, 200

LONGEST_ID = 19  # digits of what fits into 63 bits

About = tuple[Subject, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the log somebody reads; no types: all; no subject: of all; no month: of
    all time."""

    types: Collection[str] = ()
    subject: About | None = None
    month: date | None = None  # its first day, of UTC

    def takes(self, event: Event) -> bool:
        return (
            (not self.types or event.type in self.types)
            and self.subject in (None, (event.subject, event.subject_id))
            and self.month in (None, event.at.date().replace(day=1))
        )


@dataclass(frozen=True, slots=True)
class Page:
    """``next``: where the page after it begins. ``more``: that has something now."""

    events: Sequence[Event]
    next: Position
    more: bool


class Reading:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def end(self) -> Position:
        return await store.end(self._pool)

    async def newest(self, count: int) -> Sequence[Event]:
        """The last of all, in order."""
        return await store.newest(self._pool, count)

    async def get(self, event_id: str) -> Event:
        """Raises Empty for one that is not there, or not any more."""
        number = event_id.removeprefix("evt_")
        known = number.isascii() and number.isdigit() and len(number) < LONGEST_ID
        found = await store.with_ids(self._pool, [int(number)]) if known else []
        if not found:
            raise Empty("There is no such event.")
        return found[0]

    async def of_session(self, session_id: int, seq: int) -> Sequence[Event]:
        """What happened in it after that number, or the beginning of that: of the
        newest, since anybody may ask, and again and again."""
        return await store.of_subject(
            self._pool, "session", session_id, seq, newest=NEWEST, limit=AT_ONCE
        )

    async def last_of_session(self, session_id: int) -> int:
        """The number of the newest; 0: nothing happened in it."""
        return await store.last_of_subject(self._pool, "session", session_id)

    async def page(self, position: Position, limit: int, wanted: Wanted) -> Page:
        """May be empty and have more behind it: it looks at so much of the log and no
        further."""
        found: list[Event] = []
        for _ in range(MOST_SCANNED // SCANNED):
            scanned = await self._scan(position, wanted)
            for event in scanned:
                if len(found) == limit:
                    return Page(found, position, more=True)
                position = event.position
                if wanted.takes(event):
                    found.append(event)
            if len(scanned) < SCANNED:
                return Page(found, position, more=False)
        return Page(found, position, more=True)

    async def _scan(self, position: Position, wanted: Wanted) -> list[Event]:
        if wanted.subject is not None:
            return await store.of_subject_after(self._pool, position, *wanted.subject)
        if wanted.month is not None:
            return await store.of_month_after(self._pool, position, wanted.month)
        return await store.after(self._pool, position, SCANNED)
