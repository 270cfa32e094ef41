"""``POST /hooks/mediamtx/<node>/auth``: MediaMTX asks, we answer 200 or 401.

It reads nothing but the status: bodies are empty, there is never a redirect, and the
reason goes to our log and metrics. It asks within one lock, so this answers within
250 ms whatever happens: the one thing that may be waited for, a look-up in Postgres,
has a limit (service/authorize.py).
"""

import json
import re
from collections.abc import Mapping

import structlog
from aiohttp import web

from control_plane.live.service.authorize import Authorizer, Verdict, deny
from control_plane.web import metrics

log = structlog.get_logger(__name__)

LARGEST = 64 * 1024  # bytes
ACTIONS = frozenset({"publish", "read", "playback", "api", "metrics", "pprof"})
#: An encoder or player that only learns it must send credentials.
QUIET = frozenset({"ok", "no_credentials", "token_missing"})
#: Nobody has found out whether there is such a path.
UNFOUND = frozenset({"unknown_path", "not_known_now", "unknown_action", "bad_request"})
OF_A_SESSION = re.compile(r"live/[0-9]{1,10}")


async def answer(
    request: web.BaseRequest, node: str, authorizer: Authorizer
) -> web.Response:
    payload = await _payload(request)
    if payload is None:
        verdict = deny("bad_request")
        payload = {}
    else:
        verdict = await _decide(authorizer, node, payload)
    _tell(node, payload, verdict)
    return web.Response(status=200 if verdict.allow else 401)


async def _payload(request: web.BaseRequest) -> dict[str, object] | None:
    if (request.content_length or 0) > LARGEST:
        return None
    try:
        payload = json.loads(await request.read())
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


async def _decide(
    authorizer: Authorizer, node: str, payload: Mapping[str, object]
) -> Verdict:
    try:
        return await authorizer.decide(node, payload)
    except Exception:
        log.exception("auth failed", node=node)
        return deny("not_known_now")


def _tell(node: str, payload: Mapping[str, object], verdict: Verdict) -> None:
    action = payload.get("action")
    known = action if isinstance(action, str) and action in ACTIONS else "other"
    metrics.count_auth(known, verdict.reason)
    if verdict.reason in QUIET and known != "publish":
        return
    if verdict.reason == "no_credentials":
        return
    log.info(
        "allowed" if verdict.allow else "denied",
        node=node,
        action=known,
        reason=verdict.reason,
        path=_shown(str(payload.get("path", "")), verdict),
        protocol=payload.get("protocol"),
        ip=payload.get("ip"),
        id=payload.get("id"),
    )


def _shown(path: str, verdict: Verdict) -> str:
    """Whoever mistakes their key for the path must not find it in a log."""
    if verdict.reason in UNFOUND and not OF_A_SESSION.fullmatch(path):
        return "unknown"
    return path[:255]
