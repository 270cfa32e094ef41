"""The way to one endpoint: so many requests at a time, and one while it seems away."""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from control_plane.audit.log import acting, record
from control_plane.audit.model import Actor
from control_plane.base.database import Pool
from control_plane.events.model import Event
from control_plane.webhooks.model import endpoints as model
from control_plane.webhooks.model.endpoints import Endpoint
from control_plane.webhooks.model.messages import ASKS_TO_WAIT, Answer
from control_plane.webhooks.model.retries import (
    LONGEST_SILENCE,
    SWITCH_OFF_AFTER,
    Circuit,
)
from control_plane.webhooks.service.attempts import Attempts, message_of
from control_plane.webhooks.store import endpoints

log = structlog.get_logger(__name__)

ITSELF = Actor("service", "deliveries")
TOGETHER = 8  # requests to one endpoint


class Over(Exception):
    """The endpoint is not ours to deliver to any more."""


class Gate:
    def __init__(
        self,
        endpoint: Endpoint,
        pool: Pool,
        attempts: Attempts,
        owner: str,
        is_ours: Callable[[], bool],
    ) -> None:
        self._owner = owner
        self._endpoint = endpoint
        self._pool = pool
        self._attempts = attempts
        self._is_ours = is_ours
        self._circuit = Circuit()
        self._slots = asyncio.Semaphore(TOGETHER)
        self._probe = asyncio.Lock()
        self._failing = endpoint.failing_since is not None

    @property
    def taken(self) -> int:
        """How many were, since this began."""
        return self._circuit.taken

    def away(self, taken: int | None) -> bool:
        """As the circuit says it."""
        return self._circuit.away(time.monotonic(), taken)

    async def attempt(self, event: Event, *, again: bool = False) -> Answer:
        async with self._slots:
            if not self._circuit.tripped(time.monotonic()):
                return await self._send(event, again=again)
            async with self._probe:
                await asyncio.sleep(self._circuit.pause(time.monotonic()))
                return await self._send(event, again=again)

    async def _send(self, event: Event, *, again: bool) -> Answer:
        """``again``: what fails again and again alone says nothing about others."""
        if not self._is_ours():
            raise Over
        answer = await self._attempts.send(self._endpoint, message_of(event))
        if answer.taken:
            await self._took()
        elif answer.gone:
            await self._switch_off(model.GONE)
        else:
            await self._failed(answer, again=again)
        return answer

    async def _took(self) -> None:
        self._circuit.took()
        if self._failing:
            self._failing = False
            await endpoints.note_taking(self._pool, self._endpoint.id)

    async def _failed(self, answer: Answer, *, again: bool) -> None:
        now = time.monotonic()
        if not again or self._circuit.tripped(now):
            self._circuit.failed(now, random.random())  # noqa: S311
        if answer.retry_after is not None and answer.status in ASKS_TO_WAIT:
            self._circuit.asked(now, answer.retry_after)
        self._failing = True
        since = await endpoints.note_failing(
            self._pool, self._endpoint.id, self._owner, LONGEST_SILENCE
        )
        if since is None:
            raise Over
        if datetime.now(UTC) - since > SWITCH_OFF_AFTER:
            await self._switch_off(model.FAILING)

    async def _switch_off(self, because: str) -> None:
        endpoint_id, after = self._endpoint.id, {"because": because}
        async with self._pool.transaction() as connection:
            if await endpoints.give_up(connection, endpoint_id, because):
                subject = f"webhook/{endpoint_id}"
                with acting(ITSELF):
                    await record(connection, "webhook.disabled", subject, after=after)
        log.warning("webhook off", endpoint=self._endpoint.id, because=because)
        raise Over
