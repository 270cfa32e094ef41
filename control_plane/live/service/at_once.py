"""How many players of one account may play at once: the newest do."""

import time
from collections.abc import Collection, Sequence

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
#: So many of an account's players are cut in a minute, and remembered of a session one
#: by one: `auth` reads all of a session's at each change.
MOST_CUT = 30
ELSEWHERE = "You watch on another device now."
TOO_OFTEN = "You began to watch too often. Try again in a minute."


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
        try again by themselves would cut each other for ever. And where very many had
        to, one after another."""
        if not self._limit or not user_id:
            return
        known = await viewings.of_user(self._pool, user_id)
        own = [o for o in known if (o.session_id, o.viewer) == (session_id, viewer)]
        if not own:
            await self._check_often(known, user_id, session_id)
        elif own[0].cut and len(await self._playing(known)) >= self._limit:
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

    async def _check_often(
        self, known: Sequence[Viewing], user_id: int, session_id: int
    ) -> None:
        """Raises Refusal."""
        if sum(one.cut_lately for one in known) >= MOST_CUT:
            raise Refusal(TOO_OFTEN)
        if sum(one.cut and one.session_id == session_id for one in known) >= MOST_CUT:
            await self._begin_anew(user_id, session_id)
            # Its token would be one of these: what it needs was read before.
            raise Refusal(TOO_OFTEN)

    async def _begin_anew(self, user_id: int, session_id: int) -> None:
        """All of the account's tokens there are taken back, in the place of many."""
        async with self._pool.transaction() as connection:
            cut = await take_back(connection, session_id, Whom(user_id), "too_many")
            await viewings.forget(connection, user_id, session_id)
        await self._rights.cut(cut, wait=False)

    async def _enforce(self, user_id: int) -> None:
        """Whom no node has let in is looked for at none: each would list all who watch,
        as often as somebody likes to ask. One that came in this moment is cut when
        rights are looked at again."""
        known = await viewings.of_user(self._pool, user_id)
        for one, came in (await self._playing(known))[self._limit :]:
            whom, session_id = Whom(viewer=one.viewer), one.session_id
            async with self._pool.transaction() as connection:
                cut = await take_back(
                    connection, session_id, whom, "too_many", came=came
                )
                await viewings.cut(connection, session_id, one.viewer)
            await self._rights.cut(cut, wait=False)

    async def _playing(self, known: Sequence[Viewing]) -> list[tuple[Viewing, bool]]:
        """Newest first, and whether a node has let it in; none while nobody can say."""
        there = [one for one in known if not one.cut]
        since = time.time() - WINDOW
        try:
            plays = await self._sets.playing(
                [((one.session_id, one.node), one.viewer) for one in there], since
            )
        except Away as error:
            log.warning("how many an account watches is not known", error=repr(error))
            return []
        return [
            (one, seen)
            for place, (one, seen) in enumerate(zip(there, plays, strict=True))
            if seen or one.starting or place >= MOST
        ]
