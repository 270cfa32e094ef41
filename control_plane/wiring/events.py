"""The wiring of the log, its readers and operators."""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from secrets import token_hex

from control_plane.base.database import Pool
from control_plane.base.secrets import Secrets
from control_plane.config.settings import Settings
from control_plane.events.keeping import Keeping
from control_plane.events.reading import Reading
from control_plane.events.tail import Tail
from control_plane.web import traced
from control_plane.webhooks.sending.guard import Guard
from control_plane.webhooks.sending.http import open_sender
from control_plane.webhooks.service.attempts import Attempts
from control_plane.webhooks.service.delivery import Delivery
from control_plane.webhooks.service.figures import Figures
from control_plane.webhooks.service.signing import Signer
from control_plane.webhooks.service.webhooks import Webhooks


@dataclass(frozen=True)
class Events:
    """``tail`` runs wherever events are followed: with ``delivery``, and where streams
    are served. ``keeping`` and ``delivery`` run in one process or in several."""

    reading: Reading
    tail: Tail
    keeping: Keeping
    webhooks: Webhooks
    delivery: Delivery
    figures: Figures


@contextlib.asynccontextmanager
async def open_events(
    settings: Settings, secrets: Secrets, pool: Pool
) -> AsyncIterator[Events]:
    """Nothing runs in the background yet."""
    signer, tail = Signer(secrets), Tail(pool)
    guard = Guard(settings.webhook_networks)
    async with open_sender(guard, middlewares=traced.calls()) as sender:
        attempts = Attempts(pool, sender, signer, log_days=settings.webhook_log_days)
        yield Events(
            reading=Reading(pool),
            tail=tail,
            keeping=Keeping(pool, settings.event_months),
            webhooks=Webhooks(pool, attempts, signer),
            figures=Figures(pool),
            delivery=Delivery(
                pool, tail, attempts, name=f"{os.getpid()}-{token_hex(4)}"
            ),
        )
