"""What the tokens of readers say that no node's list shows, because they came as a
password or in a header. In Redis, by the ids that lists show, until their session
cannot run any more. The tokens themselves are not kept."""

from collections.abc import Iterable, Mapping

import msgspec

from control_plane.base.redis import Redis, asks_redis, pipelined
from control_plane.base.tokens import ViewerToken

ByReader = dict[str, ViewerToken]
_decode = msgspec.json.Decoder(ViewerToken).decode


class UnlistedTokens:
    def __init__(self, redis: Redis, keep_seconds: int) -> None:
        self._redis = redis
        self._keep = keep_seconds

    @asks_redis
    async def keep(self, found: Mapping[int, ByReader]) -> None:
        """By session."""
        for session_id, tokens in found.items():
            fields = (
                text
                for reader_id, token in tokens.items()
                for text in (reader_id, msgspec.json.encode(token).decode())
            )
            key = _key(session_id)
            commands = [("HSET", key, *fields), ("EXPIRE", key, self._keep)]
            await pipelined(self._redis, commands)

    @asks_redis
    async def of(self, session_ids: Iterable[int]) -> ByReader:
        asked = (("HGETALL", _key(session_id)) for session_id in session_ids)
        found = await pipelined(self._redis, asked)
        return {i: _decode(text) for one in found for i, text in one.items()}


def _key(session_id: int) -> str:
    return f"unlisted:{session_id}"
