"""Who may publish and who may read: MediaMTX asks here for every one of them.

MediaMTX asks inside one global lock (design: "Why the auth endpoint is the heart"),
so a decision on the warm path touches memory only. What is learned from it, viewer
hints and grants, is written after the answer.
"""

import asyncio
import hmac
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from control_plane.base.faults import Away
from control_plane.base.secrets import Secrets
from control_plane.base.tokens import BadToken, ViewerToken, read_viewer
from control_plane.live.model import permissions as rules
from control_plane.live.model.credentials import candidates
from control_plane.live.model.keys import all_hashes
from control_plane.live.model.permissions import Permission, Reason
from control_plane.live.model.viewers import viewer_of_address
from control_plane.live.service.grants import Grants
from control_plane.live.service.permissions import Permissions
from control_plane.live.service.viewers import Viewers

ADMITTED_FOR = 60.0  # seconds an address may go on without its token, see below
MOST_ADMITTED = 100_000
#: Seconds that one decision may wait for Postgres, whatever it has to ask: the node
#: has its answer within 0.25.
LIMIT = 0.2
API_USER = "control-plane"


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
        viewers: Viewers,
        grants: Grants,
        *,
        tokens_required: bool,
        limit: float = LIMIT,
    ) -> None:
        self._peppers = secrets.key_peppers()
        self._viewer_key = secrets.viewer_tokens()
        self._secrets = secrets
        self._permissions = permissions
        self._viewers = viewers
        self._grants = grants
        self._tokens_required = tokens_required
        self._limit = limit
        self._allowed: dict[str, deque[float]] = {}
        self._admitted: dict[tuple[str, str], tuple[float, str]] = {}

    async def decide(self, node: str, payload: Mapping[str, object]) -> Verdict:
        """``payload`` is MediaMTX's, of any version; unknown fields do not matter."""
        try:
            async with asyncio.timeout(self._limit):
                return await self._decide(node, payload)
        except (Away, TimeoutError):
            return deny("not_known_now")

    async def _decide(self, node: str, payload: Mapping[str, object]) -> Verdict:
        action = payload.get("action")
        if action == "read":
            return await self._read(node, payload)
        if action == "publish":
            return await self._publish(node, payload)
        if action == "playback":
            return await self._read(node, payload, counted=False)
        if action in ("api", "metrics", "pprof"):
            return self._operate(node, payload)
        return deny("unknown_action")

    async def _publish(self, node: str, payload: Mapping[str, object]) -> Verdict:
        texts = candidates(payload)
        if not texts:
            return deny("no_credentials")
        permission = await self._permission(payload)
        if isinstance(permission, Verdict):
            return permission
        if not self._permissions.fresh:
            return deny("not_known_now")
        hashes = all_hashes(self._peppers, texts)
        key = rules.find_key(permission, hashes)
        if key is None:
            again = await self._permissions.lookup_again(permission.path)
            permission = again or permission
            key = rules.find_key(permission, hashes)
        reason = rules.may_publish(permission, key, datetime.now(UTC))
        if reason != "ok" or key is None:
            return deny(reason)
        if self._flaps(permission.path):
            return deny("flapping")
        source_id = payload.get("id")
        if isinstance(source_id, str) and source_id:
            self._grants.note(node, source_id, permission.path, key.id)
        return ALLOW

    async def _read(
        self, node: str, payload: Mapping[str, object], *, counted: bool = True
    ) -> Verdict:
        permission = await self._permission(payload)
        if isinstance(permission, Verdict):
            return permission
        reason = rules.may_read(permission)
        if reason != "ok":
            return deny(reason)
        token = self._viewer_token(payload, permission.path)
        if token is None and self._tokens_required:
            viewer = self._admitted_viewer(payload, permission.path)
            if viewer is None:
                return deny("token_invalid" if candidates(payload) else "token_missing")
        else:
            viewer = None if token is None else token.viewer
        if counted:
            self._count(node, payload, permission, viewer)
        return ALLOW

    async def _permission(self, payload: Mapping[str, object]) -> Permission | Verdict:
        path = payload.get("path")
        if not isinstance(path, str) or not path or len(path) > 255:
            return deny("unknown_path")
        known = self._permissions.recall(path)
        if known is not None:
            return known
        permission = await self._permissions.lookup(path)
        return deny("unknown_path") if permission is None else permission

    def _viewer_token(
        self, payload: Mapping[str, object], path: str
    ) -> ViewerToken | None:
        for text in candidates(payload):
            try:
                token = read_viewer(self._viewer_key, text, time.time())
            except BadToken:
                continue
            if token.path == path:
                self._admit(payload, path, token.viewer)
                return token
        return None

    def _admit(self, payload: Mapping[str, object], path: str, viewer: str) -> None:
        """Nodes before v1.8.3 ask for child playlists without the master's query
        (facts, §5.1). There the address that a token let in a moment ago goes on,
        so that native players work; they are the versions without ``token``."""
        if "token" in payload or payload.get("protocol") != "hls":
            return
        if len(self._admitted) >= MOST_ADMITTED:
            self._admitted.clear()
        until = time.monotonic() + ADMITTED_FOR
        self._admitted[(path, str(payload.get("ip")))] = (until, viewer)

    def _admitted_viewer(self, payload: Mapping[str, object], path: str) -> str | None:
        if "token" in payload or payload.get("protocol") != "hls":
            return None
        who = (path, str(payload.get("ip")))
        until, viewer = self._admitted.get(who, (0.0, ""))
        if until < time.monotonic():
            return None
        self._admitted[who] = (time.monotonic() + ADMITTED_FOR, viewer)
        return viewer

    def _count(
        self,
        node: str,
        payload: Mapping[str, object],
        permission: Permission,
        viewer: str | None,
    ) -> None:
        """Only a hint. Without a token the address names an HLS viewer: players try
        again and again. Other protocols are in every node's lists."""
        hls = payload.get("protocol") == "hls"
        if permission.status == "live" and (viewer is not None or hls):
            self._viewers.hint(
                permission.session_id,
                node,
                viewer or viewer_of_address(payload.get("ip")),
                listed=not hls or bool(payload.get("id")),
            )

    def _flaps(self, path: str) -> bool:
        now = time.monotonic()
        times = self._allowed.setdefault(path, deque(maxlen=rules.FLAP_LIMIT))
        if len(times) == rules.FLAP_LIMIT and now - times[0] < rules.FLAP_WINDOW:
            return True
        times.append(now)
        if len(self._allowed) > 10_000:
            self._allowed.clear()
        return False

    def _operate(self, node: str, payload: Mapping[str, object]) -> Verdict:
        password = payload.get("password")
        if payload.get("user") != API_USER or not isinstance(password, str):
            return deny("no_credentials")
        given = password.encode()
        known = self._secrets.known_at_node(node)
        if not any(hmac.compare_digest(one.encode(), given) for one in known):
            return deny("wrong_key")
        return ALLOW
