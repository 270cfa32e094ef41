"""The internal listener: what nodes call, and metrics. Never public.

One plain function instead of a router: the auth route is asked under MediaMTX's
global lock, and connection set-up, parsing and routing are most of its cost.
"""

import asyncio
import base64
import hmac

import aiohttp
from aiohttp import web

from control_plane.base.faults import Away
from control_plane.base.secrets import Secrets
from control_plane.live.service.authorize import Authorizer
from control_plane.live.service.cutting import Cutter
from control_plane.live.service.grants import Grants
from control_plane.live.service.lifecycle import Lifecycle
from control_plane.web import metrics
from hooks import auth, lifecycle

PREFIX = "/hooks/mediamtx/"
BODY_WITHIN = 5.0  # seconds
BODY_SECRET = "CONTROL_PLANE_HOOK_SECRET"  # noqa: S105  (a name)


class Listener:
    def __init__(
        self,
        secrets: Secrets,
        authorizer: Authorizer,
        changes: Lifecycle,
        grants: Grants,
        cutter: Cutter,
    ) -> None:
        self._secrets = secrets
        self._authorizer = authorizer
        self._changes = changes
        self._grants = grants
        self._cutter = cutter
        self._nodes: dict[str, list[bytes]] = {}
        self._headers: dict[str, list[bytes]] = {}

    def know_nodes(self, names: list[str]) -> None:
        """Only these may call; each with its own secret."""
        known = {name: self._secrets.known_of_node(name) for name in names}
        self._nodes = {
            name: [secret.encode() for secret in secrets]
            for name, secrets in known.items()
        }
        self._headers = {
            name: [aiohttp.encode_basic_auth(name, one).encode() for one in secrets]
            for name, secrets in known.items()
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if not request.content.is_eof() and not await _arrived(request):
            return web.Response(status=408)
        path = request.path
        if path.startswith(PREFIX) and request.method == "POST":
            node, _, event = path[len(PREFIX) :].partition("/")
            if event == "auth":
                return await self._auth(request, node)
            return await self._hook(request, node, event)
        if path == "/metrics" and request.method == "GET":
            return metrics.response()
        if path == "/healthz":
            return web.Response(text="ok\n")
        return web.Response(status=404)

    async def _auth(self, request: web.BaseRequest, node: str) -> web.Response:
        given = request.headers.get("Authorization", "")
        if not _is_one_of(self._headers.get(node, []), given):
            metrics.count_auth("other", "wrong_node_secret")
            return web.Response(status=401)
        return await auth.answer(request, node, self._authorizer)

    async def _hook(
        self, request: web.BaseRequest, node: str, event: str
    ) -> web.Response:
        body = await request.read()
        if len(body) > lifecycle.LARGEST:
            return web.Response(status=413)
        told = lifecycle.values(body)
        secret = told.pop(BODY_SECRET, "") or _basic(request, node)
        if not _is_one_of(self._nodes.get(node, []), secret):
            return web.Response(status=401)
        metrics.HOOKS.labels(event if event in KNOWN else "other").inc()
        try:
            await self._grants.flush()
        except Away:
            return web.Response(status=503)
        return await lifecycle.tell(node, event, told, self._changes, self._cutter)


KNOWN = lifecycle.READY | lifecycle.NOT_READY


async def _arrived(request: web.BaseRequest) -> bool:
    """The body, which is most often here already."""
    try:
        async with asyncio.timeout(BODY_WITHIN):
            await request.read()
    except (TimeoutError, ConnectionError, web.RequestPayloadError):
        return False
    return True


def _is_one_of(known: list[bytes], given: str) -> bool:
    return any(hmac.compare_digest(one, _sent(given)) for one in known)


def _sent(header: str) -> bytes:
    """As it came, text or not."""
    return header.encode("utf-8", "surrogateescape")


def _basic(request: web.BaseRequest, node: str) -> str:
    """The password of a Basic header whose user is the node; "" otherwise."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return ""
    try:
        text = base64.b64decode(_sent(given), validate=True).decode()
    except ValueError:
        return ""
    user, _, password = text.partition(":")
    return password if user == node else ""
