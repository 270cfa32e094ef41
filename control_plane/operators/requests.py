"""Requests of operators that may be sent twice and count once."""

import contextlib
import hashlib
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.refusals import BadInput, Refusal
from control_plane.base.secrets import Derived
from control_plane.operators import store

KEPT = timedelta(hours=24)
#: A request that was never answered, since its process died, may be made again then.
UNDER_WAY = timedelta(minutes=2)
LONGEST = 200  # characters
NONCE = 12  # bytes


class AnotherRequest(Refusal):
    """This Idempotency-Key was used for another request already."""


class UnderWay(Refusal):
    """The same request is being carried out."""


Answered = tuple[int, bytes]  # its status and its body
Work = Callable[[], Awaitable[Answered]]


class Requests:
    """Answers are kept encrypted: some hold what is shown once."""

    def __init__(self, pool: Pool, keys: Derived) -> None:
        self._pool = pool
        self._keys = keys

    async def once(
        self, token_id: int, key: str, said: Sequence[bytes], work: Work
    ) -> Answered:
        """What ``work`` answered, now or the first time. What it raises is not kept."""
        if not 1 <= len(key) <= LONGEST or not key.isascii() or not key.isprintable():
            raise BadInput("Idempotency-Key is 1 to 200 plain characters.")
        fingerprint = _fingerprint(said)
        if not await store.begin_request(
            self._pool, token_id, key, fingerprint, KEPT, UNDER_WAY
        ):
            return await self._known(token_id, key, fingerprint)
        try:
            answered = await work()
        except BaseException:
            with contextlib.suppress(Away):
                await store.forget_request(self._pool, token_id, key)
            raise
        kept = self._sealed(answered, _bound(token_id, key))
        await store.keep_answer(self._pool, token_id, key, kept)
        return answered

    async def _known(self, token_id: int, key: str, fingerprint: bytes) -> Answered:
        found = await store.request(self._pool, token_id, key)
        if found is None:
            raise UnderWay
        if found[0] != fingerprint:
            raise AnotherRequest
        if found[1] is None:
            raise UnderWay
        return self._opened(found[1], _bound(token_id, key))

    def _sealed(self, answered: Answered, bound: bytes) -> bytes:
        status, body = answered
        nonce = os.urandom(NONCE)
        plain = status.to_bytes(2, "big") + body
        return nonce + AESGCM(self._keys[0]).encrypt(nonce, plain, bound)

    def _opened(self, kept: bytes, bound: bytes) -> Answered:
        for key in self._keys:
            with contextlib.suppress(InvalidTag):
                plain = AESGCM(key).decrypt(kept[:NONCE], kept[NONCE:], bound)
                return int.from_bytes(plain[:2], "big"), plain[2:]
        raise Refusal("It was done, and its answer cannot be read any more.")


def _bound(token_id: int, key: str) -> bytes:
    return f"{token_id}:{key}".encode()


def _fingerprint(said: Sequence[bytes]) -> bytes:
    found = hashlib.sha256()
    for part in said:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.digest()
