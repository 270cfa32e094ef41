"""``POST /hooks/mediamtx/<node>/auth``: MediaMTX asks, we answer 200 or 401.

It reads nothing but the status: bodies are empty, there is never a redirect, and the
reason goes to our log and metrics. It asks within one lock, so this answers within
250 ms whatever happens: the one thing that may be waited for, a look-up in Postgres,
has a limit (service/authorize.py).
"""

import re
import time
from collections.abc import Awaitable
from functools import partial

import structlog

from control_plane.base import request_ids
from control_plane.live.model import auth_call
from control_plane.live.model.auth_call import AuthCall
from control_plane.live.service.authorize import (
    ON_PATHS,
    OPERATING,
    Authorizer,
    Verdict,
    deny,
)
from control_plane.web import metrics
from hooks.messages import Answer

log = structlog.get_logger(__name__)

#: An encoder or player that only learns it must send credentials.
QUIET = frozenset({"ok", "no_credentials", "token_missing"})
#: Nobody has found out whether there is such a path.
UNFOUND = frozenset({"unknown_path", "not_known_now", "unknown_action", "bad_request"})
OF_A_SESSION = re.compile(r"live/[0-9]{1,10}")
NOTHING = AuthCall()
ALLOWED, DENIED = ("allowed",), ("denied",)


def answer(
    body: bytes, node: str, authorizer: Authorizer
) -> "Answer | Awaitable[Answer]":
    began = time.perf_counter()
    call = auth_call.read(body)
    if call is None:
        return _answered(node, NOTHING, deny("bad_request"), began)
    try:
        verdict = authorizer.decide_now(node, call)
    except Exception:
        log.exception("auth failed", node=node)
        verdict = deny("not_known_now")
    if verdict is None:
        return _later(node, call, authorizer, began)
    return _answered(node, call, verdict, began)


async def _later(
    node: str, call: AuthCall, authorizer: Authorizer, began: float
) -> Answer:
    try:
        verdict = await authorizer.decide(node, call)
    except Exception:
        log.exception("auth failed", node=node)
        verdict = deny("not_known_now")
    return _answered(node, call, verdict, began)


def _answered(node: str, call: AuthCall, verdict: Verdict, began: float) -> Answer:
    status = 200 if verdict.allow else 401
    return Answer(status, after=partial(_tell, node, call, verdict, began))


def _tell(node: str, call: AuthCall, verdict: Verdict, began: float) -> None:
    took = time.perf_counter() - began
    metrics.AUTH_DURATIONS.add(ALLOWED if verdict.allow else DENIED, took)
    known = call.action in ON_PATHS or call.action in OPERATING
    action = call.action if known else "other"
    metrics.count_auth(action, verdict.reason)
    if verdict.reason in QUIET and action != "publish":
        return
    if verdict.reason == "no_credentials":
        return
    log.info(
        "allowed" if verdict.allow else "denied",
        request_id=request_ids.made(),
        node=node,
        action=action,
        reason=verdict.reason,
        path=_shown(call.path, verdict),
        protocol=call.protocol,
        ip=call.ip,
        id=call.id,
    )


def _shown(path: str, verdict: Verdict) -> str:
    """Whoever mistakes their key for the path must not find it in a log."""
    if verdict.reason in UNFOUND and not OF_A_SESSION.fullmatch(path):
        return "unknown"
    return path[:255]
