"""``/`` lists what is live, ``/watch/<id>`` and ``/watch/<channel>`` play it."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from aiohttp import web

from control_plane.pages import assets
from control_plane.pages.assets import Asset
from control_plane.pages.events import stream
from control_plane.pages.policy import policy
from control_plane.pages.relay import Relay
from control_plane.pages.seats import Seats
from control_plane.pages.updates import LiveUpdates
from control_plane.web.dispatch import host_of

log = structlog.get_logger(__name__)

WATCH = "/watch/{name:[A-Za-z0-9_-]{1,64}}"
PLAYER_NAME = "hls.mjs"
PLAYER_MARK = b"{{player}}"


class Pages:
    def __init__(
        self, updates: LiveUpdates, seats: Seats, player: Path = assets.PLAYER
    ) -> None:
        self._updates = updates
        self._seats = seats
        self._sessions = Relay(updates.subscribe)
        self._list = Relay(lambda _: _listed(updates))
        self._assets = _assets(player)
        self._home = assets.read(assets.STATIC / "index.html")
        self._watch = _watch_page(PLAYER_NAME in self._assets)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.home),
            web.get("/events", self.home_events, allow_head=False),
            web.get(WATCH, self.watch),
            web.get(WATCH + "/events", self.watch_events, allow_head=False),
            web.get("/assets/{name}", self.asset),
        ]

    async def home(self, request: web.Request) -> web.StreamResponse:
        return await self._page(request, self._home)

    async def watch(self, request: web.Request) -> web.StreamResponse:
        return await self._page(request, self._watch)

    async def home_events(self, request: web.Request) -> web.StreamResponse:
        with self._seats.taken(request):
            return await stream(request, self._list, "")

    async def watch_events(self, request: web.Request) -> web.StreamResponse:
        with self._seats.taken(request):
            return await stream(request, self._sessions, request.match_info["name"])

    async def asset(self, request: web.Request) -> web.StreamResponse:
        found = self._assets.get(request.match_info["name"])
        if found is None:
            return web.Response(status=404, text="There is no such file.\n")
        return assets.respond(request, found)

    async def _page(self, request: web.Request, page: Asset) -> web.StreamResponse:
        response = assets.respond(request, page)
        response.headers["Content-Security-Policy"] = await self._policy(request)
        # The address of a stream is nobody's business but the node's and ours.
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    async def _policy(self, request: web.Request) -> str:
        """While the nodes are unknown nothing plays; the page loads itself again
        when a node is not in its policy."""
        try:
            return policy(await self._updates.hls_urls(host_of(request)))
        except Exception:
            log.exception("the addresses of the nodes are unknown")
            return policy([])


@contextlib.asynccontextmanager
async def _listed(updates: LiveUpdates) -> AsyncIterator[AsyncIterator[object]]:
    async with updates.subscribe_list() as lists:
        yield ({"sessions": list(sessions)} async for sessions in lists)


def _assets(player: Path) -> dict[str, Asset]:
    found = {
        path.name: assets.read(path)
        for path in sorted(assets.STATIC.iterdir())
        if path.suffix != ".html"
    }
    if player.is_file():
        found[PLAYER_NAME] = assets.read(player)
    else:
        log.error(
            "the player is not installed, so most browsers play nothing:"
            " run `npm ci` in control_plane/pages/player and start again"
        )
    return found


def _watch_page(has_player: bool) -> Asset:
    body = (assets.STATIC / "watch.html").read_bytes()
    mark = f"/assets/{PLAYER_NAME}".encode() if has_player else b""
    return assets.asset(body.replace(PLAYER_MARK, mark), assets.TYPES[".html"])
