"""Who asks: a program with its token, or a browser with the cookie of its session.

A browser sends cookies along with what other pages make it ask. So from other pages
nothing is taken that comes with one, and what writes has a header that no form sends.
"""

from functools import partial
from typing import Protocol

from aiohttp import web

from control_plane.base.refusals import BadInput, NoToken
from control_plane.operators.model import OperatorToken, Scope
from control_plane.operators.service import OutOfScope, Tokens
from control_plane.operators.sessions import Sessions
from control_plane.web.origin import Origins

KEY = "Idempotency-Key"
COOKIE = "operator_session"
PATH = "/v1"  # cookies know no ports: the pages of the apps' listener get none


class Check(Protocol):
    async def __call__(self) -> OperatorToken:
        """Raises Refusal."""


class Admission:
    def __init__(self, tokens: Tokens, sessions: Sessions, origins: Origins) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._origins = origins

    def check(
        self, request: web.Request, scope: Scope | None, *, writes: bool
    ) -> Check:
        """What says who asks, also later on, and whether they may."""
        if "Authorization" in request.headers:
            return partial(self._tokens.check, _token(request), scope)
        secret = request.cookies.get(COOKIE)
        if secret is None:
            raise NoToken("This needs an operator's token: Authorization: Bearer …")
        self.from_our_page(request, writes=writes)
        if writes and KEY not in request.headers:
            raise BadInput(f"From a browser this needs an {KEY}.")
        return partial(self._sessions.check, secret, scope)

    def from_our_page(self, request: web.Request, *, writes: bool) -> None:
        """Raises OutOfScope. Browsers name the origin of every request that writes."""
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        own = _host(self._origins.of(request).url)
        foreign = origin is not None and _host(origin) != own
        unnamed = writes and site is None and origin is None
        if foreign or unnamed or site not in (None, "same-origin", "none"):
            raise OutOfScope("That came from another page.")

    def is_encrypted(self, request: web.Request) -> bool:
        """As far as anybody tells."""
        return self._origins.of(request).url.startswith("https:")


def _host(url: str) -> str:
    """With its port. Anything may stand in a header."""
    return url.partition("://")[2].partition("/")[0]


def _token(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise NoToken("This needs an operator's token: Authorization: Bearer …")
    return token.strip()
