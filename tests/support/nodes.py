"""What nodes say: an API without streams, and when a list was asked for."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.test_utils import TestServer

#: When a list was asked for that is newer than anything that is known.
NEWEST = datetime.max.replace(tzinfo=UTC)
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
