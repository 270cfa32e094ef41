"""A node's API without streams."""

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.test_utils import TestServer

EMPTY = {"itemCount": 0, "pageCount": 0, "items": []}


@contextlib.asynccontextmanager
async def answering(port: int, status: int = 200) -> AsyncIterator[None]:
    """401: it takes our password for wrong."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(EMPTY, status=status)

    app = web.Application()
    app.router.add_get("/v3/{list:.*}", answer)
    async with TestServer(app, port=port):
        yield
