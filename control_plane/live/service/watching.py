"""Watching: what is live, one broadcast's state as it changes, and viewer tokens."""

import contextlib
import secrets
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Iterable,
    Sequence,
)
from dataclasses import dataclass, replace

from control_plane.base.database import Pool
from control_plane.base.refusals import Empty, Refusal
from control_plane.base.secrets import Derived, SigningKeys
from control_plane.base.tokens import BadToken, ViewerToken, read_viewer, sign_viewer
from control_plane.live.model.bans import NO_CLIENT, Client, mark
from control_plane.live.model.edges import signed as signed_for
from control_plane.live.model.nodes import Node
from control_plane.live.model.rights import own_part, viewer_of
from control_plane.live.model.viewers import NO_VIEWERS, PREVIEWER
from control_plane.live.model.watching import Broadcast, is_over, session_id
from control_plane.live.service.at_once import AtOnce
from control_plane.live.service.counts import Counts
from control_plane.live.service.following import Following
from control_plane.live.service.nodes import Nodes
from control_plane.live.service.previews import Previews
from control_plane.live.service.rights import Rights
from control_plane.live.service.sources import Sources
from control_plane.live.store import channels
from control_plane.live.store import watching as store
from control_plane.people.model.users import User
from control_plane.people.store import social

LIST_SIZE = 100


@dataclass(frozen=True, slots=True)
class Admission:
    """``source``: where to read, and ``opens``: what its address holds to show there,
    until ``expires_at``."""

    broadcast: Broadcast
    source: Node
    viewer: str
    token: str
    opens: str
    expires_at: int  # unix seconds


class Watching:
    def __init__(
        self,
        pool: Pool,
        nodes: Nodes,
        counts: Counts,
        previews: Previews,
        rights: Rights,
        at_once: AtOnce,
        sources: Sources,
        *,
        viewer_key: Derived,
        token_seconds: int,
        signing_keys: Callable[[str], SigningKeys],
        signed_seconds: int,
    ) -> None:
        """``signing_keys``: of a CDN, by its name."""
        self._signing_keys = signing_keys
        self._signed_seconds = signed_seconds
        self._pool = pool
        self._nodes = nodes
        self._counts = counts
        self._previews = previews
        self._rights = rights
        self._at_once = at_once
        self._sources = sources
        self._viewer_key = viewer_key
        self._token_seconds = token_seconds
        self._broadcasts = Following("watching", self._at, is_over)
        self._lists = Following("watching_list", self._most_watched)

    async def admit(
        self,
        name: str,
        caller: User | None,
        old_token: str,
        client: Client = NO_CLIENT,
        region: str = "",
    ) -> Admission:
        """A token to read this path, and where. With the token of an earlier visit it
        is the same viewer again. Raises Refusal for who may not watch."""
        broadcast = await self.find(name)
        session = broadcast.session
        if not session.is_open:
            raise Refusal("This live stream has ended.")
        user_id = 0 if caller is None else caller.id
        viewer = self._viewer(caller, old_token)
        epoch = await self._rights.check(session, user_id, viewer, client)
        await self._at_once.begin(user_id, session.id, viewer)
        source = await self._sources.of(broadcast.node, session.id, viewer, region)
        token = ViewerToken(
            viewer, session.path, user_id, self._until(), epoch, mark(client.device)
        )
        return self._admission(broadcast, source, token)

    async def look_in(self, number: int) -> Admission:
        """For an operator: whoever may watch it, at its origin, counted as nobody."""
        broadcast = await self.find(str(number))
        session = broadcast.session
        if not session.is_watchable:
            raise Empty("There is nothing to watch now.")
        until, epoch = self._until(), session.token_epoch
        token = ViewerToken(PREVIEWER, session.path, 0, until, epoch)
        return self._admission(broadcast, broadcast.node, token)

    def _until(self) -> int:
        return int(time.time()) + self._token_seconds

    def _admission(
        self, broadcast: Broadcast, source: Node, token: ViewerToken
    ) -> Admission:
        signed = sign_viewer(self._viewer_key, token)
        opens, until = signed, token.expires_at
        if source.role == "cdn":
            until = min(until, int(time.time()) + self._signed_seconds)
            keys = self._signing_keys(source.name)
            opens = signed_for(keys, broadcast.node.name, token.path, until)
        return Admission(broadcast, source, token.viewer, signed, opens, until)

    def _viewer(self, caller: User | None, old_token: str) -> str:
        own = secrets.token_urlsafe(9)
        with contextlib.suppress(BadToken):
            earlier = read_viewer(self._viewer_key, old_token, None).viewer
            own = own if earlier in NO_VIEWERS else own_part(earlier)
        return (
            own if caller is None else viewer_of(caller.id, caller.token_version, own)
        )

    async def find(self, name: str) -> Broadcast:
        """By session id or channel name. Raises Empty when there is none."""
        found = (await self._at([name])).get(name)
        if found is None:
            raise Empty
        return found

    async def reader(self, caller: User | None) -> int:
        """For whom a list has to be made: 0, for everybody, unless a block keeps the
        caller apart from somebody."""
        if caller is None or not await social.is_apart(self._pool, caller.id):
            return 0
        return caller.id

    async def live(self, size: int, page: int, reader: int = 0) -> list[Broadcast]:
        """Newest first. ``reader``: as above."""
        found = await store.live(self._pool, reader, size, size * page)
        return await self._counted(found)

    async def exists(self, name: str) -> bool:
        """Also a channel that was never live: it may start any moment."""
        if name in await self._uncounted([name]):
            return True
        return await channels.at_path(self._pool, f"live/{name}") is not None

    def follow(self, name: str) -> AsyncGenerator[Broadcast | None]:
        """What ``find`` says, now and each time it changed; None while there is
        nothing. Ends when the service closes."""
        return self._broadcasts.follow(name)

    async def follow_live(self) -> AsyncGenerator[Sequence[Broadcast]]:
        """What is live, most watched first."""
        async with contextlib.aclosing(self._lists.follow("")) as changes:
            async for found in changes:
                yield found or ()

    async def hls_urls(self, host: str) -> list[str]:
        """Where viewers who came to ``host`` fetch HLS: every node's address."""
        found = await self._nodes.listing()
        return [node.hls_url.replace("{host}", host) for node in found]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self._broadcasts.running(), self._lists.running():
            yield

    def close(self) -> None:
        """Ends every ``follow``."""
        self._broadcasts.close()
        self._lists.close()

    async def _at(self, names: Iterable[str]) -> dict[str, Broadcast]:
        found = await self._uncounted(names)
        counted = await self._counted(list(found.values()))
        leaving = await self._sources.leaving()
        told = [replace(one, leaving=leaving) for one in counted]
        return dict(zip(found, told, strict=True))

    async def _uncounted(self, names: Iterable[str]) -> dict[str, Broadcast]:
        ids = {name: session_id(name) for name in names}
        return await store.at(
            self._pool,
            {name: found for name, found in ids.items() if found},
            [name for name, found in ids.items() if found is None],
        )

    async def _counted(self, found: Sequence[Broadcast]) -> list[Broadcast]:
        sessions = [one.session for one in found]
        counts = await self._counts.of(sessions)
        pictured = await self._previews.shown(sessions)
        return [
            replace(
                one,
                viewers=counts.get(one.session.id, 0),
                pictured=one.session.id in pictured,
            )
            for one in found
        ]

    async def _most_watched(self, names: Iterable[str]) -> dict[str, list[Broadcast]]:
        """There is one list, whatever it is called."""
        found = await self.live(LIST_SIZE, 0)
        most = sorted(found, key=lambda one: one.viewers, reverse=True)
        return dict.fromkeys(names, most)
