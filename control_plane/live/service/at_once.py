"""How many players of one account may play at once: the newest do."""

import time
from collections.abc import Collection

import structlog

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.refusals import Refusal
from control_plane.live.model.rights import Viewing
from control_plane.live.model.viewers import WINDOW
from control_plane.live.service.rights import Rights, Whom, take_back
from control_plane.live.store import viewings
from control_plane.live.store.viewers import ViewerSets

log = structlog.get_logger(__name__)

MOST = 50  # that are remembered of an account; older tokens count no more
ELSEWHERE = "You watch on another device now."


class AtOnce:
    def __init__(
        self, pool: Pool, sets: ViewerSets, rights: Rights, *, limit: int
    ) -> None:
        """``limit``: 0: none."""
        self._pool = pool
        self._sets = sets
        self._rights = rights
        self._limit = limit

    async def begin(self, user_id: int, session_id: int, viewer: str) -> None:
        """Another one plays, or the same again; the oldest makes room. Raises Refusal
        for one that had to make room itself, and would take it back: two players that
        try again by themselves would cut each other for ever."""
        if not self._limit or not user_id:
            return
        own = (session_id, viewer)
        playing = await self._playing(user_id)
        there = [one for one in playing if (one.session_id, one.viewer) != own]
        if len(there) >= self._limit and await self._was_cut(user_id, own):
            raise Refusal(ELSEWHERE)
        await viewings.begin(self._pool, user_id, session_id, viewer)
        await viewings.forget_over(self._pool, user_id)
        await self._enforce(user_id)

    async def look_again(self, user_ids: Collection[int]) -> None:
        """At accounts that watch: who paused, and plays again with the token of then,
        has asked nobody."""
        if self._limit:
            for user_id in await viewings.with_more(
                self._pool, user_ids, than=self._limit
            ):
                await self._enforce(user_id)

    async def _enforce(self, user_id: int) -> None:
        for one in (await self._playing(user_id))[self._limit :]:
            async with self._pool.transaction() as connection:
                whom = Whom(viewer=one.viewer)
                cut = await take_back(connection, one.session_id, whom, "too_many")
                await viewings.cut(connection, one.session_id, one.viewer)
            await self._rights.cut(cut, wait=False)

    async def _playing(self, user_id: int) -> list[Viewing]:
        """Newest first; none while nobody can say."""
        found = await viewings.of_user(self._pool, user_id)
        there = [one for one in found if not one.cut]
        since = time.time() - WINDOW
        try:
            plays = await self._sets.playing(
                [((one.session_id, one.node), one.viewer) for one in there], since
            )
        except Away as error:
            log.warning("how many an account watches is not known", error=repr(error))
            return []
        return [
            one
            for place, (one, seen) in enumerate(zip(there, plays, strict=True))
            if seen or one.starting or place >= MOST
        ]

    async def _was_cut(self, user_id: int, own: tuple[int, str]) -> bool:
        found = await viewings.of_user(self._pool, user_id)
        return any(one.cut and (one.session_id, one.viewer) == own for one in found)
