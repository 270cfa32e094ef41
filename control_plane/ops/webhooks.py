"""``/v1/webhooks``: receivers of events."""

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from control_plane.base.refusals import BadInput
from control_plane.events.model import BadCursor, Position, position
from control_plane.ops.routes import (
    Because,
    Call,
    Id,
    Limit,
    Nothing,
    One,
    Paged,
    Route,
    Text,
    id_in,
    page_of,
)
from control_plane.webhooks.model.endpoints import Endpoint, Wish
from control_plane.webhooks.model.messages import Answer, Attempt
from control_plane.webhooks.service.webhooks import (
    NEWEST,
    Tried,
    Verified,
    Webhooks,
    number,
)

ONE = "/v1/webhooks/{id}"
LINES = 100  # of the delivery log
WHICH = "Say which: events, dead, or after and until."


class PagedOne(Paged, kw_only=True):
    id: Id
    limit: Limit = LINES


class NewEndpoint(Because, kw_only=True):
    url: str
    types: tuple[str, ...] = ()
    description: str = ""


class Changes(Because, kw_only=True):
    url: str | None = None
    types: list[str] | None = None
    description: str | None = None


class Enable(Because, kw_only=True):
    skip: bool = False


class Rotate(Because, kw_only=True):
    hours: Annotated[float, Meta(ge=0, le=168)] = 24.0


class Resend(Because, kw_only=True):
    """``dead``: all that was given up. Or a range: behind the cursor ``after``, up to
    ``until``. ``after`` with the others: an event, behind which they are."""

    events: tuple[str, ...] = ()
    dead: bool = False
    after: Text | None = None
    until: Text | None = None


class Forget(Because, kw_only=True):
    """``events``: none: all that was given up."""

    events: tuple[str, ...] = ()


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``problem``: why it is still off. ``secret``: shown this once."""

    id: int
    url: str
    types: list[str]
    description: str
    enabled: bool
    disabled_because: str
    failing_since: datetime | None
    cursor: str
    created_at: datetime
    problem: str | None = None
    secret: str | None = None


class Endpoints(Struct, frozen=True):
    webhooks: list[Told]
    next: str | None


class Sent(Struct, frozen=True):
    taken: bool
    status: int
    error: str


class SentAgain(Sent, frozen=True):
    event: str


class Again(Struct, frozen=True):
    """What was tried. ``next``: for ``after``, where there is more."""

    answers: list[SentAgain]
    next: str | None


class Line(Struct, frozen=True):
    event: str | None
    type: str
    status: int
    error: str
    milliseconds: int
    at: datetime


class Deliveries(Struct, frozen=True):
    deliveries: list[Line]
    next: str | None


class Dead(Struct, frozen=True):
    """``at``: when it was given up. ``error``: of the last attempt."""

    event: str
    error: str
    at: datetime


class DeadLetters(Struct, frozen=True):
    letters: list[Dead]


class Forgotten(Struct, frozen=True):
    count: int


class WebhooksApi:
    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/webhooks", "admin", self.listing),
            Route("POST", "/v1/webhooks", "admin", self.add, status=201),
            Route("GET", ONE, "admin", self.get),
            Route("PATCH", ONE, "admin", self.change),
            Route("DELETE", ONE, "admin", self.remove),
            Route("POST", f"{ONE}/enable", "admin", self.enable),
            Route("POST", f"{ONE}/disable", "admin", self.disable),
            Route("POST", f"{ONE}/rotate", "admin", self.rotate),
            Route("POST", f"{ONE}/test", "admin", self.test),
            Route("POST", f"{ONE}/resend", "admin", self.resend),
            Route("POST", f"{ONE}/forget", "admin", self.forget),
            Route("GET", f"{ONE}/deliveries", "admin", self.deliveries),
            Route("GET", f"{ONE}/dead", "admin", self.dead),
        ]

    async def listing(self, call: Call[Paged, Nothing]) -> Endpoints:
        """List receivers, the oldest first."""
        asked, after = call.params, id_in(call.params.after) or 0
        found = [one for one in await self._webhooks.listing() if one.id > after]
        page = found[: asked.limit + 1]
        following = page_of(page, asked.limit, lambda one: one.id)
        return Endpoints([_told(one) for one in page], following)

    async def get(self, call: Call[One, Nothing]) -> Told:
        """One receiver."""
        return _told(await self._webhooks.get(call.params.id))

    async def add(self, call: Call[Nothing, NewEndpoint]) -> Told:
        """Add a receiver; it has to answer a challenge."""
        said = call.body
        found = await self._webhooks.add(Wish(said.url, said.types, said.description))
        secret = self._webhooks.secret(found.endpoint)
        return _told(found.endpoint, problem=found.problem, secret=secret)

    async def change(self, call: Call[One, Changes]) -> Told:
        """Change a receiver; another address has to answer a challenge."""
        body, now = call.body, await self._webhooks.get(call.params.id)
        wish = Wish(
            now.url if body.url is None else body.url,
            now.types if body.types is None else body.types,
            now.description if body.description is None else body.description,
        )
        return _verified(await self._webhooks.change(now.id, wish))

    async def remove(self, call: Call[One, Nothing]) -> None:
        """Remove a receiver and all that waits for it."""
        await self._webhooks.remove(call.params.id)

    async def enable(self, call: Call[One, Enable]) -> Told:
        """Switch a receiver on; it goes on where it was, or with what comes."""
        found = await self._webhooks.enable(call.params.id, skip=call.body.skip)
        return _verified(found)

    async def disable(self, call: Call[One, Because]) -> Told:
        """Switch a receiver off."""
        await self._webhooks.disable(call.params.id)
        return _told(await self._webhooks.get(call.params.id))

    async def rotate(self, call: Call[One, Rotate]) -> Told:
        """Give a receiver a new secret."""
        overlap = timedelta(hours=call.body.hours)
        found = await self._webhooks.rotate(call.params.id, overlap)
        return _told(found, secret=self._webhooks.secret(found))

    async def test(self, call: Call[One, Because]) -> Sent:
        """Send a test, and see what comes back."""
        return _answer(await self._webhooks.send_test(call.params.id))

    async def resend(self, call: Call[One, Resend]) -> Again:
        """Send events again: some, all that was given up, or a range."""
        said, receiver = call.body, call.params.id
        if bool(said.events) + said.dead + (said.until is not None) != 1:
            raise BadInput(WHICH)
        if said.until is not None:
            return await self._resend_range(receiver, said.after, said.until)
        ids = [number(one) for one in said.events]
        if said.dead:
            letters = await self._webhooks.dead_letters(receiver)
            ids = [one.event_id for one in letters]
        after = number(said.after) if said.after else 0
        found = await self._webhooks.resend(receiver, ids, after)
        following = None if found.next is None else f"evt_{found.next}"
        return Again(_answers(found.tried), following)

    async def _resend_range(
        self, receiver: int, after: str | None, until: str
    ) -> Again:
        if after is None:
            raise BadInput(WHICH)
        found = await self._webhooks.resend_range(
            receiver, _cursor(after), _cursor(until)
        )
        following = None if found.next is None else str(found.next)
        return Again(_answers(found.tried), following)

    async def forget(self, call: Call[One, Forget]) -> Forgotten:
        """Forget what was given up: it is not to be sent any more."""
        ids = [number(one) for one in call.body.events]
        return Forgotten(await self._webhooks.forget(call.params.id, ids))

    async def deliveries(self, call: Call[PagedOne, Nothing]) -> Deliveries:
        """The last attempts to deliver, the newest first."""
        asked = call.params
        found = await self._webhooks.deliveries(
            asked.id, asked.limit + 1, id_in(asked.after, NEWEST)
        )
        following = page_of(found, asked.limit, lambda one: one.id)
        return Deliveries([_line(one) for one in found], following)

    async def dead(self, call: Call[One, Nothing]) -> DeadLetters:
        """What was given up, the oldest first."""
        found = await self._webhooks.dead_letters(call.params.id)
        return DeadLetters(
            [Dead(f"evt_{one.event_id}", one.error, one.died_at) for one in found]
        )


def _cursor(text: str) -> Position:
    try:
        return position(text)
    except BadCursor:
        raise BadInput(f"{text} is no cursor of this log.") from None


def _told(
    one: Endpoint, *, problem: str | None = None, secret: str | None = None
) -> Told:
    return Told(
        id=one.id,
        url=one.url,
        types=list(one.types),
        description=one.description,
        enabled=one.enabled,
        disabled_because=one.disabled_because,
        failing_since=one.failing_since,
        cursor=str(one.position),
        created_at=one.created_at,
        problem=problem,
        secret=secret,
    )


def _verified(found: Verified) -> Told:
    return _told(found.endpoint, problem=found.problem)


def _answer(one: Answer) -> Sent:
    return Sent(one.taken, one.status, one.reason)


def _answers(tried: Tried) -> list[SentAgain]:
    return [
        SentAgain(one.taken, one.status, one.reason, event.id) for event, one in tried
    ]


def _line(one: Attempt) -> Line:
    event = f"evt_{one.event_id}" if one.event_id else None
    return Line(event, one.type, one.status, one.error, one.milliseconds, one.at)
