"""A client of one node's control API (``/v3``), from v1.3.0 on.

What a server can do is found by asking, not from its version: a list that it does
not have answers 404.
"""

import asyncio
import contextlib
import errno
import json
from collections.abc import AsyncIterator
from typing import Any, Literal
from urllib.parse import quote

import aiohttp

from mediamtx.payloads import (
    LIST_OF_TYPE,
    Answer,
    Info,
    Item,
    View,
    publishers,
    readers,
)

KickResult = Literal["kicked", "missing", "unknown"]

#: The server has no upper limit, and its default of 100 hides the rest.
PATHS_PER_PAGE = 100_000
#: Smaller, so that parsing 20,000 viewers never holds the event loop for long.
CONNECTIONS_PER_PAGE = 5_000


class _TroubleError(Exception):
    """The node gave no usable answer."""

    def __init__(self, reason: str, answer: Answer = "silent") -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


class Client:
    """``timeout`` bounds each call as a whole, in seconds.

    ``user`` and ``password`` are needed where the server asks its auth endpoint about
    API calls too.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        api_url: str,
        user: str = "",
        password: str = "",
        timeout: float = 3.0,
    ) -> None:
        self._http = http
        self._base = api_url.rstrip("/") + "/v3"
        self._headers = (
            {"Authorization": aiohttp.encode_basic_auth(user, password)} if user else {}
        )
        self._timeout = timeout

    async def look(self) -> View:
        """Who publishes and who watches. Never raises for a node in trouble.

        Whoever publishes during the whole look is in it. Paths come before
        connections: a publisher that turns ready in between is then seen as a
        connection at least, and every path's source still has its connection, with
        its query, in the lists that follow. In the other order a source could come
        without its query.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._view()
        except TimeoutError:
            return View("silent", self._no_answer())
        except _TroubleError as trouble:
            return View(trouble.answer, trouble.reason)

    async def info(self) -> Info:
        """Which server it is, for people. Never raises for a node in trouble."""
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._info()
        except TimeoutError:
            return Info("silent", self._no_answer())
        except _TroubleError as trouble:
            return Info(trouble.answer, trouble.reason)
        return Info("answered", "", found.get("version", ""), found.get("started", ""))

    async def kick(self, source_type: str, source_id: str) -> KickResult:
        """Close a connection; its encoder may come back at once. Never raises.

        ``missing``: the node has no such connection. ``unknown``: it did not say, or
        the type is none that can be kicked.
        """
        name = LIST_OF_TYPE.get(source_type)
        if name is None:
            return "unknown"
        try:
            async with asyncio.timeout(self._timeout):
                status, body = await self._ask(
                    "POST", f"{name}/kick/{quote(source_id, safe='')}"
                )
        except (TimeoutError, _TroubleError):
            return "unknown"
        return _kick_result(status, body)

    async def _view(self) -> View:
        async with _together() as group:
            info = group.create_task(self._info())
            first = group.create_task(self._list("paths"))
        async with _together() as group:
            tasks = {
                name: group.create_task(self._list(name))
                for name in LIST_OF_TYPE.values()
            }
        paths = first.result()
        if paths is None:
            raise _TroubleError("it answered 404 to paths/list")
        lists = {name: task.result() for name, task in tasks.items()}
        try:
            return View(
                "answered",
                started=info.result().get("started", ""),
                publishers=publishers(paths, lists),
                readers=readers(lists),
                lists_hls=lists["hlssessions"] is not None,
            )
        except (KeyError, TypeError, AttributeError):
            raise _TroubleError("its lists have another shape") from None

    async def _info(self) -> dict[str, str]:
        status, body = await self._ask("GET", "info")
        if status == 404:
            return {}
        return _object("info", status, body)

    async def _list(self, name: str) -> list[Item] | None:
        """All items; None where the node has no such list.

        Further pages are read from the last to the first. Connections are listed by
        age, so one that closes moves the later ones to an earlier page, where this
        still meets them; the other way round it would miss one.
        """
        per_page = PATHS_PER_PAGE if name == "paths" else CONNECTIONS_PER_PAGE
        first = await self._page(name, per_page, 0)
        if first is None:
            return None
        items, page_count = first
        if page_count <= 1:
            return items
        found: dict[str, Item] = {}
        for number in reversed(range(page_count)):
            page = await self._page(name, per_page, number)
            for item in page[0] if page else ():
                found[item.get("id") or item.get("name", "")] = item
        return list(found.values())

    async def _page(
        self, name: str, per_page: int, number: int
    ) -> tuple[list[Item], int] | None:
        query = f"itemsPerPage={per_page}&page={number}"
        status, body = await self._ask("GET", f"{name}/list?{query}")
        if status == 404:
            return None
        page = _object(f"{name}/list", status, body)
        items, page_count = page.get("items", []), page.get("pageCount", 1)
        fits = isinstance(items, list) and isinstance(page_count, int)
        if not fits or not all(isinstance(item, dict) for item in items):
            raise _TroubleError("its lists have another shape")
        return items, page_count

    async def _ask(self, method: str, what: str) -> tuple[int, bytes]:
        try:
            async with self._http.request(
                method,
                f"{self._base}/{what}",
                headers=self._headers,
                allow_redirects=False,
            ) as response:
                return response.status, await response.read()
        except aiohttp.ClientConnectorError as error:
            if error.os_error.errno == errno.ECONNREFUSED:
                raise _TroubleError("connection refused", "refused") from None
            raise _TroubleError("it cannot be reached") from None
        except aiohttp.ServerTimeoutError:
            raise _TroubleError(self._no_answer()) from None
        except (aiohttp.ClientError, OSError):
            raise _TroubleError("the connection broke") from None

    def _no_answer(self) -> str:
        return f"no answer within {self._timeout:g} s"


@contextlib.asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that raises the first error itself, outside of any group."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _object(what: str, status: int, body: bytes) -> dict[str, Any]:
    if status != 200:
        raise _TroubleError(f"it answered {status} to {what}")
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _TroubleError(f"its answer to {what} is not JSON")
    return found


def _kick_result(status: int, body: bytes) -> KickResult:
    if status == 200:
        return "kicked"
    # Before v1.5.0 a missing connection is a 500.
    if status == 404 or (status == 500 and b"not found" in body):
        return "missing"
    return "unknown"
