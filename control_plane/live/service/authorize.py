"""Who may publish and who may read: MediaMTX asks here for every one of them.

MediaMTX asks inside one global lock (docs/mediamtx.md, "The auth call"),
so a decision on the warm path touches memory only. What is learned from it, viewer
hints and grants, is written after the answer.
"""

import asyncio
import hmac
import time
from collections import deque
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import UNSET

from control_plane.base.faults import Away
from control_plane.base.secrets import Secrets
from control_plane.base.tokens import BadToken, ViewerToken, read_viewer
from control_plane.live.model import permissions as rules
from control_plane.live.model.auth_call import AuthCall
from control_plane.live.model.credentials import candidates, viewer_token
from control_plane.live.model.edges import EDGE, lot, path_at_origin
from control_plane.live.model.keys import all_hashes
from control_plane.live.model.nodes import Node, Role
from control_plane.live.model.permissions import Permission, Reason
from control_plane.live.model.viewers import NO_VIEWERS, viewer_of_address
from control_plane.live.service.grants import Grants
from control_plane.live.service.hints import Hints
from control_plane.live.service.permissions import Permissions

ADMITTED_FOR = 60.0  # seconds an address may go on without its token, see below
MOST_ADMITTED = 100_000
#: Seconds that one decision may wait for Postgres, whatever it has to ask: the node
#: has its answer within 0.25.
LIMIT = 0.2
API_USER = "control-plane"
ON_PATHS = frozenset({"publish", "read", "playback"})
OPERATING = frozenset({"api", "metrics", "pprof"})
LONGEST_PATH = 255  # characters


@dataclass(frozen=True, slots=True)
class Verdict:
    allow: bool
    reason: Reason


ALLOW = Verdict(allow=True, reason="ok")


def deny(reason: Reason) -> Verdict:
    return Verdict(allow=False, reason=reason)


class Authorizer:
    """Decides; creates nothing."""

    def __init__(
        self,
        secrets: Secrets,
        permissions: Permissions,
        hints: Hints,
        grants: Grants,
        *,
        tokens_required: bool,
        limit: float = LIMIT,
    ) -> None:
        self._peppers = secrets.key_peppers()
        self._viewer_key = secrets.viewer_tokens()
        self._secrets = secrets
        self._permissions = permissions
        self._hints = hints
        self._grants = grants
        self._tokens_required = tokens_required
        self._limit = limit
        self._edges: Mapping[str, Role] = {}
        self._draining: Mapping[str, Node] = {}  # edges
        self._closed: Set[str] = frozenset()  # to encoders
        self._most: Mapping[str, int] = {}  # broadcasts
        self._allowed: dict[str, deque[float]] = {}
        self._admitted: dict[tuple[str, str], tuple[float, ViewerToken]] = {}

    def know_nodes(self, nodes: Sequence[Node]) -> None:
        self._edges = {one.name: one.role for one in nodes if one.role != "origin"}
        self._hints.know_caches({one.name for one in nodes if one.role == "cache"})
        self._closed = {one.name for one in nodes if one.closed}
        self._most = {
            one.name: one.most_publishers for one in nodes if one.most_publishers
        }
        self._draining = {
            one.name: one for one in nodes if one.draining and one.role != "origin"
        }

    def decide_now(self, node: str, call: AuthCall) -> Verdict | None:
        """From memory alone. None: it has to be looked up, see :meth:`decide`."""
        if call.action in OPERATING:
            return self._operate(node, call)
        if call.action not in ON_PATHS:
            return deny("unknown_action")
        if not 0 < len(call.path) <= LONGEST_PATH or "\0" in call.path:
            return deny("unknown_path")
        permission = self._permissions.recall(self._path(node, call))
        return None if permission is None else self._judge(node, call, permission)

    async def decide(self, node: str, call: AuthCall) -> Verdict:
        """Also what nobody remembers: a path, or a key newer than the notice of it."""
        verdict = self.decide_now(node, call)
        if verdict is not None:
            return verdict
        try:
            async with asyncio.timeout(self._limit):
                return await self._looked_up(node, call)
        except (Away, TimeoutError):
            return deny("not_known_now")

    async def _looked_up(self, node: str, call: AuthCall) -> Verdict:
        path = self._path(node, call)
        permission = await self._permissions.lookup(path)
        if permission is None:
            return deny("unknown_path")
        verdict = self._judge(node, call, permission)
        if verdict is None:
            again = await self._permissions.lookup_again(path)
            verdict = self._judge(node, call, again or permission)
        return deny("wrong_key") if verdict is None else verdict

    def _judge(
        self, node: str, call: AuthCall, permission: Permission
    ) -> Verdict | None:
        if call.action != "publish":
            return self._read(node, call, permission)
        if node in self._edges:
            return deny("unknown_path")
        return self._publish(node, call, permission)

    def _path(self, node: str, call: AuthCall) -> str:
        return path_at_origin(call.path)[1] if node in self._edges else call.path

    def _publish(
        self, node: str, call: AuthCall, permission: Permission
    ) -> Verdict | None:
        """None: the key is not known here, or not yet."""
        if node in self._closed:
            return deny("node_closed")
        bans, now = self._permissions.bans, time.time()
        if bans.has_address(call.ip, now):
            return deny("banned")
        texts = candidates(call)
        if not texts:
            return deny("no_credentials")
        if not self._permissions.sure_of(permission.path):
            return deny("not_known_now")
        key = rules.find_key(permission, all_hashes(self._peppers, texts))
        if key is None:
            return None
        reason = rules.may_publish(permission, key, datetime.now(UTC))
        if reason == "ok" and bans.has_device(key.device, now):
            reason = "banned"
        if reason == "ok":
            reason = self._at_node(node, call, permission)
        if reason != "ok":
            return deny(reason)
        if call.id:
            self._grants.note(node, call.id, permission.path, key.id)
        return ALLOW

    def _at_node(self, node: str, call: AuthCall, permission: Permission) -> Reason:
        """Pages and OPTIONS, which come without an id, start nothing."""
        if not self._has_place(node, permission):
            return "node_full"
        return "flapping" if call.id and self._flaps(permission.path) else "ok"

    def _has_place(self, node: str, permission: Permission) -> bool:
        """A broadcast keeps its own; one that begins here or comes here needs one."""
        if permission.is_open and permission.node == node:
            return True
        most = self._most.get(node)
        return most is None or self._permissions.broadcasts(node) < most

    def _read(self, node: str, call: AuthCall, permission: Permission) -> Verdict:
        token = self._viewer_token(call, permission.path) or self._admitted_token(
            call, permission.path
        )
        reason = rules.may_read(
            permission, token, tokens_by_default=self._tokens_required
        )
        if self._permissions.bans.covers(call.ip, token, time.time()):
            return deny("banned")
        if reason == "token_missing" and candidates(call):
            return deny("token_invalid")
        if reason != "ok":
            return deny(reason)
        if self._goes_elsewhere(node, call, token):
            return deny("node_draining")
        if token is not None:
            self._remember(call, permission, token)
        if call.action == "read" and not _is_nobody(token):
            self._count(node, call, permission, None if token is None else token.viewer)
        return ALLOW

    def _remember(
        self, call: AuthCall, permission: Permission, token: ViewerToken
    ) -> None:
        """What neither a later call nor a list says of who was let in."""
        self._admit(call, permission.path, token)
        if call.id and not self._is_listed(call, token):
            self._hints.unlisted(permission.session_id, call.id, token)

    def _is_listed(self, call: AuthCall, token: ViewerToken) -> bool:
        """The node's lists show its query, and of what may be a token nothing else."""
        return viewer_token(self._viewer_key, call.query, call.path) == token

    def _goes_elsewhere(
        self, node: str, call: AuthCall, token: ViewerToken | None
    ) -> bool:
        """An edge that drains. A MediaMTX asks about whoever comes, and, of HLS before
        v1.18, about whoever goes on, as a cache does."""
        edge = self._draining.get(node)
        if edge is None:
            return False
        if edge.role == "edge" and (call.id or call.protocol != "hls"):
            return True
        viewer = viewer_of_address(call.ip) if token is None else token.viewer
        if lot(node, viewer) < edge.let_go:
            return True
        if edge.role == "cache":
            self._hints.stay(node, viewer)
        return False

    def _viewer_token(self, call: AuthCall, path: str) -> ViewerToken | None:
        for text in candidates(call):
            try:
                token = read_viewer(self._viewer_key, text, time.time())
            except BadToken:
                continue
            if token.viewer == EDGE:
                is_edge = call.protocol == "rtsp" and token.path in self._edges
                return token if is_edge else None
            if token.path == path:
                return token
        return None

    def _admit(self, call: AuthCall, path: str, token: ViewerToken) -> None:
        """Nodes before v1.8.3 ask for child playlists without the master's query
        (docs/mediamtx.md). There the address that a token let in a moment ago goes on,
        so that native players work; they are the versions without ``token``."""
        if call.token is not UNSET or call.protocol != "hls" or _is_nobody(token):
            return
        if len(self._admitted) >= MOST_ADMITTED:
            self._admitted.clear()
        until = time.monotonic() + ADMITTED_FOR
        self._admitted[(path, call.ip)] = (until, token)

    def _admitted_token(self, call: AuthCall, path: str) -> ViewerToken | None:
        if call.token is not UNSET or call.protocol != "hls":
            return None
        admitted = self._admitted.get((path, call.ip))
        if admitted is None or admitted[0] < time.monotonic():
            return None
        return admitted[1]

    def _count(
        self,
        node: str,
        call: AuthCall,
        permission: Permission,
        viewer: str | None,
    ) -> None:
        """Only a hint. Without a token the address names an HLS viewer: players try
        again and again. Other protocols are in every node's lists."""
        hls = call.protocol == "hls"
        role, live = self._edges.get(node), permission.status == "live"
        if not (live or role == "cache") or (viewer is None and not hls):
            return
        viewer = viewer or viewer_of_address(call.ip)
        listed = not hls or bool(call.id)
        if role is None:
            self._hints.note(permission.session_id, node, viewer, listed=listed)
            return
        place = (permission.session_id, path_at_origin(call.path)[0])
        if role == "cache":
            self._hints.ask(node, place, viewer, live=live)
        else:
            self._hints.come(place, viewer, listed=listed)

    def _flaps(self, path: str) -> bool:
        now = time.monotonic()
        times = self._allowed.setdefault(path, deque(maxlen=rules.FLAP_LIMIT))
        if len(times) == rules.FLAP_LIMIT and now - times[0] < rules.FLAP_WINDOW:
            return True
        times.append(now)
        if len(self._allowed) > 10_000:
            self._allowed.clear()
        return False

    def _operate(self, node: str, call: AuthCall) -> Verdict:
        if call.user != API_USER:
            return deny("no_credentials")
        given = call.password.encode()
        known = self._secrets.known_at_node(node)
        if not any(hmac.compare_digest(one.encode(), given) for one in known):
            return deny("wrong_key")
        return ALLOW


def _is_nobody(token: ViewerToken | None) -> bool:
    return token is not None and token.viewer in NO_VIEWERS
