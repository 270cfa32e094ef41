"""Viewers who could not be cut when their right ended: their node said nothing, or the
process that was about to cut them is gone. Their node is asked again until it answers,
and then everybody there is judged by what counts now."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection
from datetime import timedelta

from control_plane.base.database import Pool
from control_plane.base.secrets import Derived
from control_plane.base.tasks import Loop
from control_plane.live.model.bans import BanList
from control_plane.live.model.credentials import viewer_token
from control_plane.live.model.nodes import Reader
from control_plane.live.service.cutting import Chosen, Cutter
from control_plane.live.service.rights import Rights
from control_plane.live.store import bans, owed_cuts, sessions

LOOK_EVERY = 5.0  # seconds
#: A cut that is under way needs no other.
UNDER_WAY = timedelta(seconds=5)


class OwedCuts:
    def __init__(
        self, pool: Pool, cutter: Cutter, rights: Rights, *, viewer_key: Derived
    ) -> None:
        self._pool = pool
        self._cutter = cutter
        self._rights = rights
        self._viewer_key = viewer_key

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with Loop("owed cuts", self.turn, LOOK_EVERY).running():
            yield

    async def turn(self, since: timedelta = UNDER_WAY) -> None:
        owed = await owed_cuts.due(self._pool, since)
        await asyncio.gather(*(self._cut(*one) for one in owed.items()))

    async def _cut(self, node_name: str, owed: Collection[int]) -> None:
        known = await sessions.read_from(self._pool, node_name)
        paths = [session.path for session in known if session.is_watchable]
        may_not_watch = await self._rights.outsiders(paths, tokenless=True)
        banned = await self._banned()
        if await self._cutter.kick_viewers(
            node_name, lambda one: banned(one) or may_not_watch(one)
        ):
            await owed_cuts.done(self._pool, owed)

    async def _banned(self) -> Chosen:
        listed = BanList(await bans.of_clients(self._pool))

        def banned(one: Reader) -> bool:
            token = viewer_token(self._viewer_key, one.query, one.path)
            return listed.covers(one.address, token, time.time())

        return banned
