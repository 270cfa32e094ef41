"""The one shape of every answer of ``/api``: HTTP 200, an integer code, a msg."""

from collections.abc import Mapping

from aiohttp import web
from msgspec import json

HEADERS = {"Cache-Control": "no-store"}


def answer(
    msg: object, code: int = 200, beside: Mapping[str, object] | None = None
) -> web.Response:
    """``beside`` holds what a few calls have next to ``msg``."""
    return encoded(json.encode({"code": code, "msg": msg, **(beside or {})}))


def body_of(msg: object) -> bytes:
    """Of a good answer that several are given."""
    return json.encode({"code": 200, "msg": msg})


def encoded(body: bytes) -> web.Response:
    return web.Response(
        body=body, headers=HEADERS, content_type="application/json", charset="utf-8"
    )
