"""One attempt to deliver, and the log of all."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

from prometheus_client import Counter

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.tasks import Loop
from control_plane.events.model import Event, told
from control_plane.webhooks.model.endpoints import Endpoint
from control_plane.webhooks.model.messages import Answer, Attempt, Message, Sender
from control_plane.webhooks.service.signing import Signer
from control_plane.webhooks.store import attempts

FLUSH_EVERY = 0.5  # seconds
MOST_UNWRITTEN = 20_000  # lines; while Postgres is away the oldest go
FORGET_EVERY = 600.0  # seconds
FORGOTTEN_AT_ONCE = 10_000  # lines

ATTEMPTS = Counter(
    "control_plane_webhook_attempts_total",
    "Attempts to deliver an event to a webhook.",
    ["outcome"],
)


def message_of(event: Event) -> Message:
    body = json.dumps(told(event), separators=(",", ":")).encode()
    return Message(event.id, event.position.id, event.type, body)


class Attempts:
    def __init__(
        self, pool: Pool, sender: Sender, signer: Signer, *, log_days: float
    ) -> None:
        """``log_days``: that the lines of the log are kept."""
        self._pool = pool
        self._sender = sender
        self._signer = signer
        self._kept = timedelta(days=log_days)
        self._unwritten: list[Attempt] = []

    async def send(self, endpoint: Endpoint, message: Message) -> Answer:
        begin = time.perf_counter()
        headers = self._signer.headers(endpoint, message)
        answer = await self._sender.send(endpoint.url, headers, message.body)
        ATTEMPTS.labels("taken" if answer.taken else "failed").inc()
        self._unwritten.append(
            Attempt(
                endpoint.id,
                message.number,
                message.type,
                answer.status,
                answer.reason,
                int((time.perf_counter() - begin) * 1000),
                datetime.now(UTC),
            )
        )
        return answer

    async def flush(self) -> None:
        """What is noted stands in the log when this returns."""
        while lines := self._unwritten[-MOST_UNWRITTEN:]:
            self._unwritten = []
            try:
                await attempts.add(self._pool, lines)
            except (Away, asyncio.CancelledError):
                self._unwritten = lines + self._unwritten
                raise

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            async with (
                Loop("webhook_log", self.flush, FLUSH_EVERY).running(),
                Loop("webhook_log_end", self._forget, FORGET_EVERY).running(),
            ):
                yield
        finally:
            with contextlib.suppress(Away):
                await self.flush()

    async def _forget(self) -> None:
        most = FORGOTTEN_AT_ONCE
        while await attempts.forget(self._pool, self._kept, most) == most:
            pass


def body_of(kind: str, data: Mapping[str, object]) -> bytes:
    """Of a message that is not in the log."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return json.dumps({"type": kind, "timestamp": at, "data": data}).encode()
