"""The internal listener: what nodes and caches call, and metrics. Never public.

One plain function instead of a router: the auth route is asked under MediaMTX's
global lock.
"""

import base64
import hmac
from collections.abc import Awaitable, Sequence

from control_plane.base import request_ids
from control_plane.base.secrets import Secrets
from control_plane.live.model.nodes import Node, Role
from control_plane.live.service.authorize import Authorizer
from control_plane.live.service.cutting import Cutter
from control_plane.live.service.grants import Grants
from control_plane.live.service.health import Health
from control_plane.live.service.lifecycle import Lifecycle
from control_plane.web import metrics
from hooks import auth, lifecycle
from hooks.messages import Answer, Request

PREFIX = b"/hooks/mediamtx/"
CACHES = b"/edge/"
TEXT = b"text/plain"
NOBODY: "tuple[str, list[bytes]]" = ("", [])
BODY_SECRET = "CONTROL_PLANE_HOOK_SECRET"  # noqa: S105  (a name)


class Listener:
    def __init__(
        self,
        secrets: Secrets,
        authorizer: Authorizer,
        changes: Lifecycle,
        grants: Grants,
        cutter: Cutter,
        health: Health,
    ) -> None:
        self._secrets = secrets
        self._authorizer = authorizer
        self._changes = changes
        self._grants = grants
        self._cutter = cutter
        self._health = health
        self._nodes: dict[str, list[bytes]] = {}
        self._auth: dict[bytes, tuple[str, list[bytes]]] = {}

    def know_nodes(self, nodes: Sequence[Node]) -> None:
        """Only these may call; each with its own secret."""
        self._authorizer.know_nodes(nodes)
        roles = {node.name: node.role for node in nodes}
        for name in roles:
            metrics.WRONG_SECRETS.labels(name)  # a first one shows beside a zero only
        known = {name: self._secrets.known_of_node(name) for name in roles}
        self._nodes = {
            name: [secret.encode() for secret in secrets]
            for name, secrets in known.items()
            if roles[name] == "origin"
        }
        self._auth = {
            _asks_at(name, roles[name]): (
                name,
                [_basic_header(name, one) for one in secrets],
            )
            for name, secrets in known.items()
        }

    def node_at(self, path: bytes) -> str:
        """Whose path it is; empty, where nobody has such a name."""
        node, _ = self._auth.get(path, NOBODY)
        name, _, _ = path[len(PREFIX) :].decode("latin-1").partition("/")
        return node or (name if name in self._nodes else "")

    def answer(self, request: Request) -> "Answer | Awaitable[Answer]":
        path = request.path
        if request.method == b"POST":
            if path.endswith(b"/auth"):
                return self._answer_auth(request)
            if path.startswith(PREFIX):
                node, _, event = path[len(PREFIX) :].decode("latin-1").partition("/")
                return self._hook(request, node, event)
        if path == b"/metrics" and request.method == b"GET":
            body, content_type = metrics.exposition()
            return Answer(200, body, content_type.encode())
        if path == b"/healthz":
            return Answer(200, b"ok\n", TEXT)
        if path == b"/readyz":
            return self._ready()
        return Answer(404)

    async def _ready(self) -> Answer:
        problems = await self._health.problems()
        if not problems:
            return Answer(200, b"ok\n", TEXT)
        return Answer(503, f"away: {', '.join(problems)}\n".encode(), TEXT)

    def _answer_auth(self, request: Request) -> "Answer | Awaitable[Answer]":
        node, headers = self._auth.get(request.path, NOBODY)
        if not _is_one_of(headers, request.authorization):
            metrics.count_auth("other", "wrong_node_secret")
            return _refused(node)
        return auth.answer(request.body, node, self._authorizer)

    async def _hook(self, request: Request, node: str, event: str) -> Answer:
        if len(request.body) > lifecycle.LARGEST:
            return Answer(413)
        told = lifecycle.values(request.body)
        secret = told.pop(BODY_SECRET, "").encode() or _basic(request, node)
        if not _is_one_of(self._nodes.get(node, []), secret):
            return _refused(node if node in self._nodes else "")
        metrics.HOOKS.labels(event if event in KNOWN else "other").inc()
        request_ids.answering(request_ids.made())  # in a task of its own
        return await lifecycle.tell(
            node, event, told, self._changes, self._grants, self._cutter
        )


KNOWN = lifecycle.READY | lifecycle.NOT_READY


def _refused(node: str) -> Answer:
    """``node``: empty, where there is none of the name."""
    metrics.WRONG_SECRETS.labels(node or "?").inc()
    return Answer(401)


def _asks_at(name: str, role: Role) -> bytes:
    prefix = CACHES if role == "cache" else PREFIX
    return b"%s%s/auth" % (prefix, name.encode())


def _basic_header(node: str, secret: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{node}:{secret}".encode())


def _is_one_of(known: list[bytes], given: bytes) -> bool:
    for one in known:  # noqa: SIM110  (a generator costs more than the comparing)
        if hmac.compare_digest(one, given):
            return True
    return False


def _basic(request: Request, node: str) -> bytes:
    """The password of a Basic header whose user is the node; empty otherwise."""
    scheme, _, given = request.authorization.partition(b" ")
    if scheme != b"Basic":
        return b""
    try:
        text = base64.b64decode(given, validate=True)
    except ValueError:
        return b""
    user, _, password = text.partition(b":")
    return password if user == node.encode() else b""
