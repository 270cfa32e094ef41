"""Looking again, during play, whether those who watch still may: somebody has stopped
following, or has signed out everywhere."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from control_plane.base.tasks import Loop, in_turns
from control_plane.live.model.rights import Seen, seen
from control_plane.live.model.viewers import Listed
from control_plane.live.service.at_once import AtOnce
from control_plane.live.service.counting import Counting
from control_plane.live.service.cutting import Cutter
from control_plane.live.service.judging import Judging
from control_plane.live.service.rights import Rights

TOGETHER = 5000  # viewers of one query


class LookingAgain:
    """Of several processes each looks at the nodes that it counts on."""

    def __init__(
        self,
        counting: Counting,
        rights: Rights,
        at_once: AtOnce,
        cutter: Cutter,
        judging: Judging,
        seconds: float,
    ) -> None:
        self._cutter = cutter
        self._judging = judging
        self._at_once = at_once
        self._counting = counting
        self._rights = rights
        self._seconds = seconds

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with Loop("rights", self.turn, self._seconds).running():
            yield

    async def turn(self) -> None:
        await self._look_at(list(self._counting.watching()))
        async for some in self._counting.watching_at_edges():
            await self._look_at(some)
        for node, readers in self._counting.listed():
            await self._judge(node, readers)

    async def _judge(self, node: str, readers: Sequence[Listed]) -> None:
        """By their tokens: somebody may have been let in before it was heard that they
        may not, guests too."""
        judged = await self._judging.judge(readers)
        await self._rights.look_again(judged.accounts)
        if judged.gone:
            await self._cutter.kick_viewers(
                node, lambda one: one.reader_id in judged.gone
            )

    async def _look_at(self, watching: Sequence[tuple[int, str]]) -> None:
        """At accounts: guests have no right that ends by itself."""
        some: list[Seen] = []
        async for session_id, viewer in in_turns(watching):
            one = seen(session_id, viewer)
            if one is not None:
                some.append(one)
        for start in range(0, len(some), TOGETHER):
            together = some[start : start + TOGETHER]
            await self._rights.look_again(together)
            await self._at_once.look_again({one.user_id for one in together})
            await asyncio.sleep(0)
