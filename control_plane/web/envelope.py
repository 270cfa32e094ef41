"""The one shape of every answer of ``/api``: HTTP 200, an integer code, a msg."""

from collections.abc import Mapping

from aiohttp import web

HEADERS = {"Cache-Control": "no-store"}


def answer(
    msg: object, code: int = 200, beside: Mapping[str, object] | None = None
) -> web.Response:
    """``beside`` holds what a few calls have next to ``msg``."""
    body = {"code": code, "msg": msg, **(beside or {})}
    return web.json_response(body, headers=HEADERS)
