"""Who reads the log: by cursor, and as a receiver of webhooks."""

import json
from typing import TYPE_CHECKING, Literal

from control_plane.events.model import BEGINNING
from control_plane.events.reading import Page, Wanted
from control_plane.webhooks.model.endpoints import GONE, Wish
from control_plane.wiring.services import Services
from tests.simulator.http import Asked, Host, Session, Told, told
from tests.simulator.network import Wire
from tests.simulator.people import Person

if TYPE_CHECKING:
    from tests.simulator.world import World

PAGE = 40


class CursorReader(Person):
    """Reads each page once, behind the cursor of the one before."""

    position = BEGINNING
    seen: list[int]

    async def live(self) -> None:
        self.seen = []
        while await self.pause(1.0):
            await self.read()

    async def read(self) -> bool:
        """False: there is no more now."""
        position = self.position

        async def page(s: Services) -> Page:
            return await s.events.reading.page(position, PAGE, Wanted())

        found = await self.insist(page)
        self.position = found.next
        self.seen += [event.position.id for event in found.events]
        return found.more

    async def has_all(self) -> None:
        while await self.read():
            pass
        oracle = self.world.oracle
        missed = {event.id for event in oracle.events} - set(self.seen)
        oracle.check(not missed, f"the cursor passed {sorted(missed)[:5]}")
        twice = len(self.seen) - len(set(self.seen))
        oracle.check(not twice, f"{twice} events came twice by cursor")


Mood = Literal["takes", "fails", "asks to wait", "hangs", "is gone"]


class Receiver:
    """Takes every event, unless it is in a bad mood."""

    def __init__(self, world: "World", name: str) -> None:
        self._world = world
        self._chance = world.chance
        self.name = name
        self.wire = Wire(name, world.chance, 0.001, 0.01)
        self.mood: Mood = "takes"
        self.first: dict[tuple[str, int], list[int]] = {}
        self.ids: dict[int, tuple[str, int, int]] = {}
        self._begin = 0
        Session.hosts[name] = Host(self.wire, self._handle)

    async def register(self, person: Person) -> None:
        wish = Wish(f"http://{self.name}/hook")
        added = await person.insist(lambda s: s.events.webhooks.add(wish))
        self._world.oracle.check(not added.problem, added.problem)
        self._id = added.endpoint.id
        self._begin = len(self._world.oracle.events)

    async def switch_on(self, person: Person) -> None:
        """If it was switched off because it was gone."""
        found = await person.insist(lambda s: s.events.webhooks.get(self._id))
        if not found.enabled:
            gone = found.disabled_because == GONE
            self._world.oracle.check(gone, f"{self.name}: {found.disabled_because}")
            await person.insist(lambda s: s.events.webhooks.enable(self._id))

    @property
    def missing(self) -> int:
        wanted = {event.id for event in self._world.oracle.events[self._begin :]}
        return len(wanted - self.ids.keys())

    async def _handle(self, asked: Asked) -> Told:
        event = json.loads(asked.body)
        if event["type"] == "webhook.challenge":
            return Told(200, asked.body)
        what = f"{event['subject']} {event['subject_id']} {event['seq']}"
        self._world.note(self.name, f"{self.mood}: {what}")
        if self.mood == "hangs":
            mend = self.wire.cut_off(None)
            self._world.later(16.0, mend)
        elif self.mood == "is gone":
            return told(410)
        elif self.mood == "asks to wait":
            return Told(429, headers={"Retry-After": "3"})
        elif self.mood == "fails" and self._chance.random() < 0.7:
            return told(500)
        self._take(event)
        if self.mood == "fails" and self._chance.random() < 0.5:
            return told(500)  # it was taken all the same
        return told(200)

    def _take(self, event: dict[str, object]) -> None:
        number = int(str(event["id"]).removeprefix("evt_"))
        what = (str(event["subject"]), int(str(event["subject_id"])))
        seq = int(str(event["seq"]))
        check = self._world.oracle.check
        known = self.ids.setdefault(number, (*what, seq))
        check(known == (*what, seq), f"evt_{number} is {known} and {(*what, seq)}")
        taken = self.first.setdefault(what, [])
        if seq not in taken:
            before = taken[-1] if taken else seq - 1
            check(seq == before + 1, f"{self.name} got {what} {seq} after {before}")
            taken.append(seq)
