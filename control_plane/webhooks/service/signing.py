"""Standard Webhooks: what proves that a message is ours."""

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from standardwebhooks import Webhook

from control_plane.base.secrets import Secrets
from control_plane.webhooks.model.endpoints import Endpoint
from control_plane.webhooks.model.messages import Message

PREFIX = "whsec_"
MOST_KEPT = 1000  # endpoints' keys


class Signer:
    """Secrets are derived, so none is stored. While one rotates, or the service's own,
    messages carry a signature of each."""

    def __init__(self, secrets: Secrets) -> None:
        self._derived = lru_cache(MOST_KEPT)(secrets.webhook)

    def secret(self, endpoint: Endpoint) -> str:
        """As the receiver is given it."""
        key = self._derived(endpoint.id, endpoint.generation)[0]
        return PREFIX + base64.b64encode(key).decode()

    def headers(self, endpoint: Endpoint, message: Message) -> Mapping[str, str]:
        # In UTC: the library takes any other zone's digits for UTC's.
        now = datetime.now(UTC)
        body = message.body.decode()
        signatures = [
            Webhook(key).sign(message.id, now, body)
            for key in self._keys(endpoint, now)
        ]
        return {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    def _keys(self, endpoint: Endpoint, now: datetime) -> Iterator[bytes]:
        yield from self._derived(endpoint.id, endpoint.generation)
        for before, until in enumerate(endpoint.old_until, 1):
            if now < until:
                yield from self._derived(endpoint.id, endpoint.generation - before)
