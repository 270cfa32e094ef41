"""Which of those who are listed may watch, by what counts now."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.secrets import Derived
from control_plane.base.tasks import in_turns
from control_plane.base.tokens import ViewerToken
from control_plane.live.model.bans import BanList
from control_plane.live.model.credentials import viewer_token
from control_plane.live.model.edges import path_at_origin
from control_plane.live.model.nodes import Reader
from control_plane.live.model.permissions import Permission, Reason, may_read
from control_plane.live.model.rights import Seen, seen
from control_plane.live.model.viewers import Listed
from control_plane.live.service.cutting import Chosen
from control_plane.live.store import bans, keys
from control_plane.live.store.unlisted import ByReader, UnlistedTokens

log = structlog.get_logger(__name__)

STAYS = frozenset({"ok", "token_missing"})


@dataclass(frozen=True, slots=True)
class Judged:
    """``gone``: ids of readers. ``accounts``: that no list shows."""

    gone: set[str] = field(default_factory=set)
    accounts: list[Seen] = field(default_factory=list)


class Judging:
    def __init__(
        self,
        pool: Pool,
        unlisted: UnlistedTokens,
        *,
        viewer_key: Derived,
        tokens_by_default: bool,
    ) -> None:
        self._pool = pool
        self._unlisted = unlisted
        self._viewer_key = viewer_key
        self._tokens_by_default = tokens_by_default

    async def outsiders(self, paths: Sequence[str], *, tokenless: bool) -> Chosen:
        """Who watches one of these and would not be let in now. ``tokenless``: also who
        came without a token before one was needed, or with one that nobody remembers;
        whoever still may comes back."""
        permissions = await keys.permissions(self._pool, paths)
        sessions = [one.session_id for one in permissions.values() if one.session_id]
        unlisted = _there(await self._unlisted.all_of(sessions, time.time()))

        def may_not(reader: Reader) -> bool:
            permission = permissions.get(path_at_origin(reader.path)[1])
            token = viewer_token(self._viewer_key, reader.query, reader.path)
            verdict = self._verdict(permission, token or unlisted.get(reader.reader_id))
            return verdict != "ok" and (tokenless or verdict != "token_missing")

        return may_not

    async def banned(self) -> Chosen:
        """Who watches from a device or an address that is."""
        listed = BanList(await bans.of_clients(self._pool))

        def covered(one: Reader) -> bool:
            token = viewer_token(self._viewer_key, one.query, one.path)
            return listed.covers(one.address, token, time.time())

        return covered

    async def judge(self, readers: Sequence[Listed]) -> Judged:
        """Everybody who is listed, guests too, by what counts now."""
        paths = list({one.path for one in readers})
        permissions = await keys.permissions(self._pool, paths)
        unlisted = await self._unlisted_of(readers, permissions)
        banned, now = BanList(await bans.of_clients(self._pool)), time.time()
        judged = Judged()
        async for one in in_turns(readers):
            permission = permissions.get(one.path)
            token = one.token or unlisted.get(one.reader_id)
            verdict = self._verdict(permission, token)
            if banned.covers(one.address, token, now) or verdict not in STAYS:
                judged.gone.add(one.reader_id)
            elif one.token is None and token is not None and permission is not None:
                account = seen(permission.session_id, token.viewer)
                if account is not None:
                    judged.accounts.append(account)
        return judged

    def _verdict(
        self, permission: Permission | None, token: ViewerToken | None
    ) -> Reason:
        """A path that nobody knows has no viewers."""
        if permission is None:
            return "ok"
        default = self._tokens_by_default
        return may_read(permission, token, tokens_by_default=default)

    async def _unlisted_of(
        self, readers: Sequence[Listed], permissions: Mapping[str, Permission]
    ) -> ByReader:
        listed: dict[int, list[str]] = {}
        async for one in in_turns(readers):
            permission = permissions.get(one.path)
            if one.token is None and permission is not None and permission.session_id:
                listed.setdefault(permission.session_id, []).append(one.reader_id)
        return _there(await self._unlisted.of(listed, time.time()))


def _there(places: Iterable[ByReader | Away]) -> ByReader:
    """Those of places that are away are looked at later."""
    found: ByReader = {}
    for one in places:
        if isinstance(one, Away):
            log.warning("tokens that no list shows are not known", error=repr(one))
        else:
            found |= one
    return found
