"""One provider's public keys, fetched when needed and kept as long as it says."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from jwt import PyJWK
from jwt.exceptions import InvalidKeyError, PyJWKError

from control_plane.base.refusals import Unavailable
from control_plane.people.model.providers import PublishedKeys

log = structlog.get_logger(__name__)

Fetch = Callable[[str], Awaitable[PublishedKeys]]

#: A key that we do not know makes us look at most so often.
UNKNOWN_KEY_PAUSE = 60.0  # seconds
#: Without any key yet we look again after so long.
NO_KEYS_PAUSE = 5.0  # seconds
#: While the provider does not answer, what it said last holds so long.
STALE = 86_400.0  # seconds


class KeysAway(Exception):
    """The provider's keys cannot be fetched."""


class KeyRing:
    def __init__(self, url: str, fetch: Fetch) -> None:
        """``fetch`` raises KeysAway."""
        self._url = url
        self._fetch = fetch
        self._keys: dict[str, PyJWK] = {}
        self._fresh_until = 0.0
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, key_id: str) -> PyJWK | None:
        """None: the provider has no such key. Raises Unavailable when nobody can
        say."""
        if self._needs_a_look(key_id):
            async with self._lock:
                if self._needs_a_look(key_id):
                    await self._look()
        if not self._keys or time.monotonic() > self._fresh_until + STALE:
            raise Unavailable
        return self._keys.get(key_id)

    def _needs_a_look(self, key_id: str) -> bool:
        now = time.monotonic()
        if now < self._fresh_until and key_id in self._keys:
            return False
        pause = UNKNOWN_KEY_PAUSE if self._keys else NO_KEYS_PAUSE
        return now > self._asked_at + pause

    async def _look(self) -> None:
        self._asked_at = time.monotonic()
        try:
            published = await self._fetch(self._url)
        except KeysAway as error:
            log.warning("a provider's keys are away", url=self._url, error=str(error))
            return
        self._keys = _usable(published)
        self._fresh_until = time.monotonic() + published.max_age


def _usable(published: PublishedKeys) -> dict[str, PyJWK]:
    """Keys of kinds that we do not know are passed over."""
    found: dict[str, PyJWK] = {}
    for key in published.keys:
        try:
            jwk = PyJWK(key)
        except (PyJWKError, InvalidKeyError, ValueError):
            continue
        if jwk.key_id:
            found[jwk.key_id] = jwk
    return found
