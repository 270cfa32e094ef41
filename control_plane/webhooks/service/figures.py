"""What operators scrape of the log and of who it is sent to. Every process that runs
this tells the same: nothing is to be added up."""

import contextlib
from collections.abc import AsyncIterator

from prometheus_client import Gauge

from control_plane.base.database import Pool
from control_plane.base.tasks import Loop
from control_plane.events import store as events
from control_plane.webhooks.model.endpoints import Lag
from control_plane.webhooks.store import endpoints

EVERY = 15.0  # seconds

EVENTS = Gauge(
    "control_plane_event_log_lag_seconds",
    "Age of the oldest event that an open transaction keeps from all readers.",
)
SWITCHED_OFF = Gauge(
    "control_plane_webhook_switched_off",
    "1: nothing is sent there any more, because nothing was taken.",
    ["endpoint"],
)
BEHIND = Gauge(
    "control_plane_webhook_lag_seconds",
    "Age of the oldest event that is neither delivered nor waits for another try.",
    ["endpoint"],
)
FAILING = Gauge(
    "control_plane_webhook_failing_seconds",
    "Since a receiver that is away took its last event.",
    ["endpoint"],
)
PARKED = Gauge(
    "control_plane_webhook_parked_subjects",
    "Sessions, users and the like whose events wait for another try.",
    ["endpoint"],
)
DEAD = Gauge(
    "control_plane_webhook_dead_letters",
    "Events that were given up and not sent again since.",
    ["endpoint"],
)
_ALL = (SWITCHED_OFF, BEHIND, FAILING, PARKED, DEAD)


class Figures:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with Loop("webhook_figures", self.look, EVERY).running():
            yield

    async def look(self) -> None:
        held_back = await events.held_back(self._pool)
        found = await endpoints.lags(self._pool)
        EVENTS.set(held_back)
        for gauge in _ALL:
            gauge.clear()
        for one in found:
            _show(one)


def _show(one: Lag) -> None:
    off = one.switched_itself_off
    values = (off, one.behind, one.failing, one.parked, one.dead)
    for gauge, value in zip(_ALL, values, strict=True):
        gauge.labels(str(one.id)).set(value)
