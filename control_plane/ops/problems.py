"""Refusals as operators' programs read them: problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from aiohttp import web
from msgspec import Struct

from control_plane.base.refusals import (
    BadInput,
    Empty,
    NoToken,
    Refusal,
    TooMany,
    Unavailable,
)
from control_plane.operators.requests import AnotherRequest
from control_plane.operators.service import OutOfScope

CONTENT_TYPE = "application/problem+json"
STATUS: Mapping[type[Refusal], int] = {
    BadInput: 400,
    NoToken: 401,
    OutOfScope: 403,
    Empty: 404,
    AnotherRequest: 422,
    TooMany: 429,
    Unavailable: 503,
}
OTHERS = 409


class Problem(Struct, frozen=True):
    """``detail``: a sentence for people."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"


def status_of(refusal: Refusal) -> int:
    return next((s for k, s in STATUS.items() if isinstance(refusal, k)), OTHERS)


def problem(status: int, detail: str) -> web.Response:
    said = Problem(HTTPStatus(status).phrase, status, detail)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return web.Response(
        status=status,
        body=msgspec.json.encode(said),
        content_type=CONTENT_TYPE,
        headers=headers,
    )
