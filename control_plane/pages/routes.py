"""``/`` lists what is live, ``/watch/<id>`` and ``/watch/<channel>`` play it."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from aiohttp import web

from control_plane.base.refusals import Refusal, TooMany, Unavailable
from control_plane.pages import assets
from control_plane.pages.events import stream
from control_plane.pages.feeds import Feeds
from control_plane.pages.relay import Relay
from control_plane.pages.seats import Seats
from control_plane.pages.updates import LiveUpdates
from control_plane.web import files, packages
from control_plane.web.envelope import answer
from control_plane.web.files import File
from control_plane.web.origin import Origins
from control_plane.web.policy import policy

log = structlog.get_logger(__name__)

WATCH = "/watch/{name:[A-Za-z0-9_-]{1,64}}"
LIVE_EVENTS = "/api/liveEvents/{name:[A-Za-z0-9_-]{1,64}}"


class Pages:
    def __init__(
        self,
        updates: LiveUpdates,
        seats: Seats,
        origins: Origins,
        feeds: Feeds,
        player: Path = packages.PLAYER,
    ) -> None:
        self._updates = updates
        self._seats = seats
        self._origins = origins
        self._feeds = feeds
        self._sessions = Relay(updates.subscribe)
        self._list = Relay(lambda _: _listed(updates))
        self._assets = assets.assets(player)
        self._home = assets.home_page()
        self._watch = assets.watch_page(has_player=assets.PLAYER_NAME in self._assets)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.home),
            web.get("/events", self.home_events, allow_head=False),
            web.get(WATCH, self.watch),
            web.get(WATCH + "/events", self.watch_events, allow_head=False),
            web.get(LIVE_EVENTS, self.live_events, allow_head=False),
            *files.from_memory("/assets", self._assets),
        ]

    async def home(self, request: web.Request) -> web.StreamResponse:
        return await self._page(request, self._home)

    async def watch(self, request: web.Request) -> web.StreamResponse:
        return await self._page(request, self._watch)

    async def home_events(self, request: web.Request) -> web.StreamResponse:
        with self._seats.taken(request):
            return await stream(request, self._list, "")

    async def watch_events(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        with self._seats.taken(request):
            return await stream(request, self._sessions, name, self._feeds)

    async def live_events(self, request: web.Request) -> web.StreamResponse:
        """The same for apps; below ``/api`` a refusal has the apps' shape."""
        try:
            response = await self.watch_events(request)
        except web.HTTPTooManyRequests:
            return answer(TooMany().sentence, TooMany.code)
        except web.HTTPServiceUnavailable:
            return answer(Unavailable().sentence, Unavailable.code)
        if response.status == 404:
            return answer("There is no such live stream.", Refusal.code)
        if response.status == 503:
            return answer(Unavailable().sentence, Unavailable.code)
        return response

    async def _page(self, request: web.Request, page: File) -> web.StreamResponse:
        response = files.respond(request, page)
        response.headers["Content-Security-Policy"] = await self._policy(request)
        # The address of a stream is nobody's business but the node's and ours.
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    async def _policy(self, request: web.Request) -> str:
        """While the nodes are unknown nothing plays; the page loads itself again
        when a node is not in its policy."""
        try:
            host = self._origins.of(request).host
            return policy(await self._updates.hls_urls(host))
        except Exception:
            log.exception("the addresses of the nodes are unknown")
            return policy([])


@contextlib.asynccontextmanager
async def _listed(updates: LiveUpdates) -> AsyncIterator[AsyncIterator[object]]:
    async with updates.subscribe_list() as lists:
        yield ({"sessions": list(sessions)} async for sessions in lists)
