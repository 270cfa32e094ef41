"""How each session's stream comes in, in Redis: ``ingest:`` is a hash for each node, by
session."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from control_plane.base.redis import Command, Redis, asks_redis, pipelined
from control_plane.live.model.ingest import Health
from control_plane.live.store.places import Place, by_node

KEEP = 60  # seconds after the last was written
CHUNK = 250  # sessions a command


class IngestStore:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @asks_redis
    async def write(
        self, node: str, healths: Mapping[int, Health], gone: Collection[int]
    ) -> None:
        await pipelined(self._redis, _commands(node, healths, gone))

    @asks_redis
    async def of_node(self, node: str) -> dict[int, Health]:
        [found] = await pipelined(self._redis, [("HGETALL", _key(node))])
        read = {int(session): _health(text) for session, text in found.items()}
        return {session: one for session, one in read.items() if one is not None}

    @asks_redis
    async def of(self, places: Sequence[Place]) -> dict[int, Health]:
        """By session; where nothing is known it is missing."""
        asked = by_node(places, CHUNK)
        answers = await pipelined(
            self._redis, (("HMGET", _key(node), *ids) for node, ids in asked)
        )
        read = {
            session_id: _health(text)
            for (_, ids), texts in zip(asked, answers, strict=True)
            for session_id, text in zip(ids, texts, strict=True)
        }
        return {session: one for session, one in read.items() if one is not None}


def _commands(
    node: str, healths: Mapping[int, Health], gone: Collection[int]
) -> Iterable[Command]:
    key, ids = _key(node), list(healths)
    if gone:
        yield ("HDEL", key, *gone)
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        words = [word for one in some for word in (one, _text(healths[one]))]
        yield ("HSET", key, *words)
    yield ("EXPIRE", key, KEEP)


def _text(health: Health) -> str:
    return msgspec.json.encode(health).decode()


def _health(text: str | None) -> Health | None:
    """None also for what another version of the service wrote and we cannot read."""
    try:
        return None if text is None else msgspec.json.decode(text, type=Health)
    except msgspec.MsgspecError:
        return None


def _key(node: str) -> str:
    return f"ingest:{{{node}}}"
