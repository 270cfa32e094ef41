"""What operators see: sessions, channels, keys and nodes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from control_plane.base.batches import Recent
from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.refusals import BadInput, Empty
from control_plane.live.model.nodes import Node
from control_plane.live.model.overview import (
    ChannelRow,
    Filter,
    KeyRow,
    NodeLoad,
    Seen,
    Sort,
    sorted_after,
)
from control_plane.live.service.counts import Counts
from control_plane.live.store import grants, nodes
from control_plane.live.store import overview as store
from control_plane.live.store.beats import Beats

FRESH_FOR = 0.5  # seconds: so old may a list of what is open be
MOST = 2**31 - 1


class Overview:
    """What is open is looked up once for all who ask at about the same time."""

    def __init__(self, pool: Pool, counts: Counts, beats: Beats) -> None:
        self._pool = pool
        self._beats = beats
        self._counts = counts
        self._open = Recent(self._look, FRESH_FOR, FRESH_FOR)

    async def sessions(
        self, wanted: Filter, sort: Sort, after: tuple[int, int] | None, limit: int
    ) -> list[Seen]:
        """``after``: the place of the one before."""
        if wanted.of_open:
            seen = [one for one in await self.open() if wanted.takes(one.session)]
            return sorted_after(seen, sort, after)[:limit]
        if sort != "newest":
            raise BadInput("What is over comes sorted as newest only.")
        before = MOST if after is None else -after[1]
        found = await store.sessions(
            self._pool,
            list(wanted.statuses),
            node=wanted.node,
            user_id=wanted.user_id,
            words=wanted.words,
            before=before,
            limit=limit,
        )
        counts = await self._counts.of(found)
        return [Seen(one, counts.get(one.id, 0)) for one in found]

    async def open(self) -> Sequence[Seen]:
        """Every open session, the newest first."""
        return await self._open.get()

    async def _look(self) -> Sequence[Seen]:
        found = await store.open_sessions(self._pool)
        counts = await self._counts.of(found)
        return [Seen(one, counts.get(one.id, 0)) for one in found]

    async def channels(
        self, beginning: str, before: int | None, limit: int
    ) -> list[ChannelRow]:
        below = MOST if before is None else before
        return await store.channels(self._pool, beginning, below, limit)

    async def channel(self, channel_id: int) -> ChannelRow:
        found = await store.channel(self._pool, channel_id)
        if found is None:
            raise Empty("There is no such channel.")
        return found

    async def channel_of(self, user_id: int) -> ChannelRow | None:
        return await store.channel_of(self._pool, user_id)

    async def keys(
        self,
        limit: int,
        *,
        before: int | None = None,
        user_id: int = 0,
        session_id: int = 0,
        channel_id: int = 0,
    ) -> list[KeyRow]:
        return await store.keys(
            self._pool,
            user_id=user_id,
            session_id=session_id,
            channel_id=channel_id,
            before=MOST if before is None else before,
            limit=limit,
        )

    async def key(self, key_id: int) -> KeyRow:
        found = await store.key(self._pool, key_id)
        if found is None:
            raise Empty("There is no such key.")
        return found

    async def contested(self) -> dict[str, int]:
        """By path, how often encoders with valid keys just took it from each other."""
        return await grants.contested(self._pool)

    async def nodes(self) -> list[tuple[Node, NodeLoad]]:
        loads: dict[str, NodeLoad] = {}
        for one in await self.open():
            name = one.session.node
            loads[name] = loads.get(name, NodeLoad()).with_one(one)
        found = await nodes.listing(self._pool)
        readers = await self._readers(found)
        return [
            (
                node,
                replace(
                    loads.get(node.name, NodeLoad()), readers=readers.get(node.name, 0)
                ),
            )
            for node in found
        ]

    async def _readers(self, nodes: Sequence[Node]) -> Mapping[str, int]:
        """None is shown while Redis does not say."""
        try:
            return await self._beats.readers(nodes, time.time())
        except Away:
            return {}
