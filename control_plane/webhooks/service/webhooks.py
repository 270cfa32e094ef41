"""What operators do with endpoints."""

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

import structlog

from control_plane.audit.log import record
from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import BadInput, Empty, Refusal
from control_plane.events import store as events
from control_plane.events.model import Event, EventType, Position
from control_plane.events.reading import Reading, Wanted
from control_plane.webhooks.model.endpoints import (
    BY_HAND,
    UNVERIFIED,
    Endpoint,
    Trouble,
    Wish,
    check,
)
from control_plane.webhooks.model.messages import Answer, Attempt, DeadLetter, Message
from control_plane.webhooks.service.attempts import Attempts, body_of, message_of
from control_plane.webhooks.service.signing import Signer
from control_plane.webhooks.store import attempts, endpoints, waiting

log = structlog.get_logger(__name__)

LONGEST_OVERLAP = timedelta(days=7)
MOST_BEFORE = 4  # secrets that count besides: each is a signature in a header
STILL_COUNTS = (
    f"The secret of {MOST_BEFORE} rotations ago still counts: rotate later, or with 0"
    " hours, which ends all but the new one."
)
NEWEST = 2**62  # ids of attempts
MOST_RESENT = 1000  # events at once
RESEND_WITHIN = 30.0  # seconds; none is begun after them, since somebody waits for it


@dataclass(frozen=True, slots=True)
class Verified:
    """``problem``: why the endpoint is still switched off; nothing when it is on."""

    endpoint: Endpoint
    problem: str


Place = TypeVar("Place")
Tried = Sequence[tuple[Event, Answer]]


@dataclass(frozen=True, slots=True)
class Resent(Generic[Place]):
    """Each event that was tried, in the log's order, and what came back. ``next``: the
    place behind which the others are; None: there are none."""

    tried: Tried
    next: Place | None


class Webhooks:
    def __init__(self, pool: Pool, attempts: Attempts, signer: Signer) -> None:
        self._pool = pool
        self._reading = Reading(pool)
        self._attempts = attempts
        self._signer = signer

    async def add(self, wish: Wish) -> Verified:
        """It gets what happens from now on, once it answered the challenge."""
        check(wish)
        at = await events.end(self._pool)
        async with self._pool.transaction() as connection:
            endpoint_id = await endpoints.add(connection, wish, at, UNVERIFIED)
            await _note(connection, "added", endpoint_id, after=wish)
        return await self.enable(endpoint_id)

    async def listing(self) -> list[Endpoint]:
        return await endpoints.listing(self._pool)

    async def get(self, endpoint_id: int) -> Endpoint:
        found = await endpoints.get(self._pool, endpoint_id)
        if found is None:
            raise Empty("There is no such endpoint.")
        return found

    async def troubles(self) -> list[Trouble]:
        """Who takes nothing, and nobody wanted that."""
        return await endpoints.troubles(self._pool)

    def secret(self, endpoint: Endpoint) -> str:
        return self._signer.secret(endpoint)

    async def change(self, endpoint_id: int, wish: Wish) -> Verified:
        """Another address has to answer a challenge of its own."""
        check(wish)
        before = await self.get(endpoint_id)
        async with self._pool.transaction() as connection:
            if wish.url != before.url:
                await endpoints.switch_off(connection, endpoint_id, UNVERIFIED)
            await endpoints.change(connection, endpoint_id, wish)
            await _note(connection, "changed", endpoint_id, before=before, after=wish)
        if wish.url != before.url:
            return await self.enable(endpoint_id)
        return Verified(await self.get(endpoint_id), "")

    async def remove(self, endpoint_id: int) -> None:
        before = await self.get(endpoint_id)
        async with self._pool.transaction() as connection:
            if not await endpoints.remove(connection, endpoint_id):
                raise Empty("There is no such endpoint.")
            await _note(connection, "removed", endpoint_id, before=before)

    async def enable(self, endpoint_id: int, *, skip: bool = False) -> Verified:
        """It goes on where it was; ``skip``: with what happens from now on."""
        endpoint = await self.get(endpoint_id)
        problem = await self._challenge(endpoint)
        if not problem and not await self._switch_on(endpoint, skip=skip):
            problem = "Its address was changed meanwhile."
        return Verified(await self.get(endpoint_id), problem)

    async def _switch_on(self, endpoint: Endpoint, *, skip: bool) -> bool:
        to = await events.end(self._pool) if skip else None
        async with self._pool.transaction() as connection:
            if not await endpoints.switch_on(connection, endpoint.id, endpoint.url, to):
                return False
            if skip:
                await waiting.leave_out(connection, endpoint.id)
            await _note(connection, "enabled", endpoint.id)
        log.info("webhook on", endpoint=endpoint.id)
        return True

    async def disable(self, endpoint_id: int) -> None:
        async with self._pool.transaction() as connection:
            if not await endpoints.switch_off(connection, endpoint_id, BY_HAND):
                raise Empty("There is no such endpoint.")
            await _note(connection, "disabled", endpoint_id)

    async def rotate(self, endpoint_id: int, overlap: timedelta) -> Endpoint:
        """A new secret. Until ``overlap`` is over messages carry both signatures, and
        those of secrets before that still count: a receiver may have none newer, where
        one was lost. Without an overlap the new one's alone."""
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise BadInput("Two secrets overlap for 0 to 168 hours.")
        await self.get(endpoint_id)
        async with self._pool.transaction() as connection:
            if not await endpoints.rotate(
                connection, endpoint_id, overlap, MOST_BEFORE
            ):
                raise Refusal(STILL_COUNTS)
            await _note(connection, "rotated", endpoint_id)
        return await self.get(endpoint_id)

    async def send_test(self, endpoint_id: int) -> Answer:
        endpoint = await self.get(endpoint_id)
        async with self._pool.transaction() as connection:
            await _note(connection, "tested", endpoint_id)
        return await self._send(endpoint, "webhook.test", {"text": "Hello"})

    async def deliveries(
        self, endpoint_id: int, limit: int, before: int | None = None
    ) -> list[Attempt]:
        """The newest first. ``before``: an attempt's id."""
        await self.get(endpoint_id)
        below = NEWEST if before is None else before
        return await attempts.newest(self._pool, endpoint_id, below, limit)

    async def dead_letters(self, endpoint_id: int) -> list[DeadLetter]:
        await self.get(endpoint_id)
        return await waiting.dead_letters(self._pool, endpoint_id)

    async def resend(
        self, endpoint_id: int, event_ids: Iterable[int], after: int
    ) -> Resent[int]:
        """At once, beside what else is delivered: of these events the first that are
        behind ``after``. Those that are not kept any more are left out."""
        endpoint = await self._enabled(endpoint_id)
        ids = sorted(one for one in event_ids if one > after)
        part = ids[:MOST_RESENT]
        found = await events.with_ids(self._pool, part)
        # Of one subject their order is the log's, and they can be gone on with.
        found.sort(key=lambda event: event.position.id)
        tried = await self._resend(endpoint, found)
        if len(tried) < len(found):
            return Resent(tried, tried[-1][0].position.id)
        return Resent(tried, part[-1] if len(part) < len(ids) else None)

    async def resend_range(
        self, endpoint_id: int, after: Position, until: Position
    ) -> Resent[Position]:
        """What it takes of the events behind one cursor, up to the other."""
        endpoint = await self._enabled(endpoint_id)
        page = await self._reading.page(after, MOST_RESENT, Wanted(endpoint.types))
        found = [event for event in page.events if event.position <= until]
        tried = await self._resend(endpoint, found)
        if len(tried) < len(found):
            return Resent(tried, tried[-1][0].position)
        return Resent(tried, page.next if page.more and page.next < until else None)

    async def forget(self, endpoint_id: int, event_ids: Sequence[int]) -> int:
        """Of what was given up these, or all where none is named. How many it were."""
        await self.get(endpoint_id)
        async with self._pool.transaction() as connection:
            count = await waiting.forget(connection, endpoint_id, event_ids or None)
            await record(
                connection,
                "webhook.forgotten",
                f"webhook/{endpoint_id}",
                before={"dead_letters": count},
            )
        return count

    async def _enabled(self, endpoint_id: int) -> Endpoint:
        """One that is off may not have answered the challenge: nobody knows whose its
        address is."""
        endpoint = await self.get(endpoint_id)
        if not endpoint.enabled:
            raise Refusal("The endpoint is off: enable it first.")
        return endpoint

    async def _resend(self, endpoint: Endpoint, found: Sequence[Event]) -> Tried:
        async with self._pool.transaction() as connection:
            await _note(connection, "resent", endpoint.id)
        tried: list[tuple[Event, Answer]] = []
        until = time.monotonic() + RESEND_WITHIN
        for event in found:
            answer = await self._attempts.send(endpoint, message_of(event))
            tried.append((event, answer))
            if answer.taken:
                await waiting.revive(self._pool, endpoint.id, event.position.id)
            if time.monotonic() >= until or not await self._stands(endpoint):
                break
        await self._attempts.flush()
        return tried

    async def _stands(self, endpoint: Endpoint) -> bool:
        """Still enabled, and where it was."""
        now = await endpoints.get(self._pool, endpoint.id)
        return now is not None and now.enabled and now.url == endpoint.url

    async def _challenge(self, endpoint: Endpoint) -> str:
        """Nobody is sent events whose address somebody else has written down."""
        challenge = secrets.token_urlsafe(16)
        answer = await self._send(
            endpoint, "webhook.challenge", {"challenge": challenge}
        )
        if not answer.taken:
            return f"The challenge was not taken: {answer.reason}."
        if challenge not in answer.text:
            return "The answer does not hold the challenge."
        return ""

    async def _send(
        self, endpoint: Endpoint, kind: EventType, data: dict[str, object]
    ) -> Answer:
        name = f"msg_{secrets.token_urlsafe(12)}"
        answer = await self._attempts.send(
            endpoint, Message(name, 0, kind, body_of(kind, data))
        )
        await self._attempts.flush()
        return answer


async def _note(
    connection: Connection,
    what: str,
    endpoint_id: int,
    *,
    before: Endpoint | Wish | None = None,
    after: Wish | None = None,
) -> None:
    """In the audit log."""
    await record(
        connection,
        f"webhook.{what}",
        f"webhook/{endpoint_id}",
        before=_told(before),
        after=_told(after),
    )


def _told(one: Endpoint | Wish | None) -> dict[str, object]:
    """Without the query, which may hold a password: what is written stays."""
    if one is None:
        return {}
    url = one.url.partition("?")[0]
    return {"url": url, "types": list(one.types), "description": one.description}


def number(event_id: str) -> int:
    """Of an event's id. Raises BadInput."""
    digits = event_id.removeprefix("evt_")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise BadInput(f"{event_id} is no event's id.")
    return int(digits)
