"""``/v1/session``: a browser signs in with a token, and out."""

import msgspec
from aiohttp import web
from msgspec import Struct

from control_plane.operators.sessions import Sessions
from control_plane.ops.admission import COOKIE, PATH, Admission
from control_plane.ops.records import Me
from control_plane.ops.routes import Nothing, Route, WebCall

JSON = "application/json"


class SignIn(Struct, forbid_unknown_fields=True):
    token: str


class SessionApi:
    def __init__(self, sessions: Sessions, admission: Admission) -> None:
        self._sessions = sessions
        self._admission = admission

    def routes(self) -> list[Route]:
        at = "/v1/session"
        return [
            Route("POST", at, "open", self.begin, streams=JSON, holds=Me),
            Route("PATCH", at, "any", self.use),
            Route("DELETE", at, "any", self.end, streams=JSON),
        ]

    async def begin(self, call: WebCall[Nothing, SignIn]) -> web.StreamResponse:
        """Sign a browser in: its cookie opens what the token opens."""
        self._admission.from_our_page(call.request, writes=True)
        secret, token = await self._sessions.begin(call.body.token.strip())
        me = Me(token.name, token.scopes, token.expires_at)
        response = _answer(msgspec.json.encode(me))
        response.set_cookie(
            COOKIE,
            secret,
            path=PATH,
            httponly=True,
            samesite="Strict",
            secure=self._admission.is_encrypted(call.request),
        )
        return response

    async def use(self, call: WebCall[Nothing, Nothing]) -> None:
        """Say that somebody is there: without it a sign-in ends."""
        await self._sessions.use(call.request.cookies.get(COOKIE, ""))

    async def end(self, call: WebCall[Nothing, Nothing]) -> web.StreamResponse:
        """Sign a browser out."""
        await self._sessions.end(call.request.cookies.get(COOKIE, ""))
        response = _answer(b"{}")
        response.del_cookie(COOKIE, path=PATH)
        return response


def _answer(body: bytes) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=body, content_type=JSON, headers=headers)
