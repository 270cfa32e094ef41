"""Viewers who could not be cut when their right ended: their node said nothing, or the
process that was about to cut them is gone. Their node is asked again until it answers,
and then everybody there is judged by what counts now."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from datetime import timedelta

from control_plane.base.database import Pool
from control_plane.base.tasks import Loop
from control_plane.live.service.cutting import Cutter
from control_plane.live.service.judging import Judging
from control_plane.live.store import owed_cuts, sessions

LOOK_EVERY = 5.0  # seconds
#: A cut that is under way needs no other.
UNDER_WAY = timedelta(seconds=5)


class OwedCuts:
    def __init__(self, pool: Pool, cutter: Cutter, judging: Judging) -> None:
        self._pool = pool
        self._cutter = cutter
        self._judging = judging

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
        may_not_watch = await self._judging.outsiders(paths, tokenless=True)
        banned = await self._judging.banned()
        if await self._cutter.kick_viewers(
            node_name, lambda one: banned(one) or may_not_watch(one)
        ):
            await owed_cuts.done(self._pool, owed)
