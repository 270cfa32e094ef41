"""Pictures of sessions, for those who may see them."""

import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from control_plane.base.batches import Shared
from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.refusals import Empty
from control_plane.base.secrets import Derived
from control_plane.base.tokens import BadToken, ViewerToken, read_viewer
from control_plane.live.model.bans import NO_CLIENT
from control_plane.live.model.previews import Subject, is_everybodys, may_see
from control_plane.live.model.sessions import LiveSession
from control_plane.live.store import rights
from control_plane.live.store.previews import PreviewStore

log = structlog.get_logger(__name__)

KEPT = 5.0  # seconds that a picture is served from memory
MOST_KEPT = 500
SEEN_FOR = 1.0  # seconds: so much later lists show a session's first picture
MOST_SEEN = 50_000


@dataclass(frozen=True, slots=True)
class Picture:
    jpeg: bytes
    everybodys: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    subject: Subject
    jpeg: bytes
    until: float  # by the monotonic clock


class _Seen(NamedTuple):
    """Whether there was a picture."""

    there: bool
    until: float  # by the monotonic clock


class Previews:
    def __init__(
        self,
        pool: Pool,
        pictures: PreviewStore,
        *,
        viewer_key: Derived,
        tokens_by_default: bool,
    ) -> None:
        self._pool = pool
        self._pictures = pictures
        self._viewer_key = viewer_key
        self._tokens_by_default = tokens_by_default
        self._kept: dict[int, _Kept] = {}
        self._looks = Shared(self._look)
        self._seen: dict[int, _Seen] = {}

    async def get(self, session_id: int, token: str) -> Picture | None:
        """None where there is none, or not for whoever has this token."""
        found = await self._found(session_id)
        if found is None:
            return None
        if is_everybodys(found.subject, tokens_by_default=self._tokens_by_default):
            return Picture(found.jpeg, everybodys=True)
        viewer = self._token(token)
        if viewer is None:
            return None
        right = await rights.right(
            self._pool, session_id, 0, viewer.user_id, viewer.viewer, NO_CLIENT
        )
        if right.denied or not may_see(found.subject, viewer, right.epoch):
            return None
        return Picture(found.jpeg, everybodys=False)

    async def newest(self, session_id: int) -> bytes:
        """For operators, whoever may watch it. Raises Empty."""
        found = await self._found(session_id)
        if found is None:
            raise Empty("There is no such picture.")
        return found.jpeg

    async def _found(self, session_id: int) -> _Kept | None:
        found = self._kept.get(session_id)
        if found is None or found.until < time.monotonic():
            found = await self._looks.get(session_id)
        return found

    async def shown(self, sessions: Iterable[LiveSession]) -> set[int]:
        """Those with a picture that everybody may see. None while Redis is away."""
        ids = [
            one.id
            for one in sessions
            if is_everybodys(
                Subject(one.path, one.policy, one.token_epoch, one.end_reason),
                tokens_by_default=self._tokens_by_default,
            )
        ]
        try:
            return await self._there(ids)
        except Away as error:
            log.warning("pictures are away", error=type(error).__name__)
            return set()

    async def _there(self, ids: Sequence[int]) -> set[int]:
        if len(self._seen) > MOST_SEEN:
            self._seen = {}
        seen, now = self._seen, time.monotonic()
        asked = [i for i in ids if i not in seen or seen[i].until <= now]
        if asked:
            there = await self._pictures.there(asked)
            seen.update({i: _Seen(i in there, now + SEEN_FOR) for i in asked})
        return {i for i in ids if seen[i].there}

    async def _look(self, session_id: int) -> _Kept | None:
        self._kept.pop(session_id, None)
        subject = await rights.subject(self._pool, session_id)
        jpeg = None if subject is None else await self._pictures.get(session_id)
        if subject is None or jpeg is None:
            return None
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        found = _Kept(subject, jpeg, time.monotonic() + KEPT)
        self._kept[session_id] = found
        return found

    def _token(self, text: str) -> ViewerToken | None:
        with contextlib.suppress(BadToken):
            return read_viewer(self._viewer_key, text, time.time())
        return None
