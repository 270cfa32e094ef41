"""One reader's place: in the states of a page, and in what happens in its session."""

import asyncio
import contextlib
from collections.abc import Mapping

from control_plane.pages.feeds import Feed, Feeds, frame
from control_plane.pages.relay import Topic


class Reader:
    def __init__(
        self,
        topic: Topic,
        feeds: Feeds | None,
        bell: asyncio.Event,
        told: tuple[int, int] | None,
    ) -> None:
        """``told``: the session and the number of its event that it has seen. None: it
        begins with what happens from now on."""
        self._topic = topic
        self._feeds = feeds
        self._bell = bell
        self._session, self._seq = told or (0, 0)
        self._is_new = told is None
        self._behind = told is not None
        self._version = 0
        self._feed: Feed | None = None
        self._following = contextlib.ExitStack()

    def close(self) -> None:
        self._following.close()

    async def news(self) -> bytes:
        """Nothing when there is none. Raises Over and StoreFault."""
        self._version, state = self._topic.after(self._version)
        if self._feeds is None:
            return state
        session, over = _session_of(self._topic.newest)
        rest = place = b""
        if session != self._session:
            rest = await self._rest(self._feeds)
            self._turn_to(session)
        if over:
            self._come_to_the_end()
        elif self._feed is None:
            place = await self._follow(self._feeds)
        self._is_new = False
        # A state waits for no look at the log.
        return rest + place + state or await self._happened(self._feeds)

    async def _rest(self, feeds: Feeds) -> bytes:
        """What was not told yet of the session that it leaves."""
        frames: list[bytes] = []
        while self._feed is not None or self._behind:
            missed = await feeds.missed(self._session, self._seq)
            if not missed:
                break
            frames += map(frame, missed)
            self._seq = missed[-1].seq
        return b"".join(frames)

    def _turn_to(self, session: int) -> None:
        """A channel's next broadcast is another session, read from its beginning."""
        self._leave()
        self._session, self._seq = session, 0
        self._behind = not self._is_new

    async def _follow(self, feeds: Feeds) -> bytes:
        """Where it begins, as a part of its first frame: cut before anything happened
        it comes again with that."""
        follow = feeds.follow(self._session, self._bell)
        self._feed = self._following.enter_context(follow)
        if not self._is_new:
            return b""
        self._seq = self._feed.last or await feeds.last(self._session)
        return b"id: %d-%d\n" % (self._session, self._seq)

    def _come_to_the_end(self) -> None:
        """Nothing will happen there any more; what did last may not be told yet."""
        if self._feed is not None:
            self._leave()
            self._behind = True

    def _leave(self) -> None:
        self._following.close()
        self._feed = None

    async def _happened(self, feeds: Feeds) -> bytes:
        if not self._behind:
            frames = b"" if self._feed is None else self._feed.after(self._seq)
            if frames is not None:
                self._seq = max(self._seq, self._feed.last if self._feed else 0)
                return frames
        missed = await feeds.missed(self._session, self._seq)
        if missed:
            self._behind, self._seq = True, missed[-1].seq
            return b"".join(map(frame, missed))
        self._behind = False
        if self._feed is None:
            return b""
        # What is remembered goes on from here, or what is before is not kept any more.
        self._seq = max(self._seq, self._feed.first - 1)
        return self._feed.after(self._seq) or b""


def _session_of(state: object) -> tuple[int, bool]:
    """0: of none, as when a channel was never live. And whether it is over."""
    if not isinstance(state, Mapping):
        return 0, True
    return int(state["id"]), state["status"] in ("ended", "expired")
