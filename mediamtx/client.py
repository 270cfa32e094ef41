"""A client of one node's control API (``/v3``), from v1.3.0 on.

What a server can do is found by asking, not from its version: a list that it does
not have answers 404.
"""

import asyncio
import contextlib
import errno
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import aiohttp
from msgspec import DecodeError, ValidationError
from msgspec.json import Decoder

from mediamtx.payloads import (
    HLS,
    LIST_OF_TYPE,
    PUBLISHER_TYPES,
    Answer,
    Connection,
    HlsSession,
    Info,
    Page,
    Path,
    Server,
    View,
    publishers,
)

KickResult = Literal["kicked", "missing", "unknown"]
#: Gets the readers, some at a time.
Take = Callable[[Sequence[Connection | HlsSession]], Awaitable[None]]

WITHIN = 3.0  # seconds
#: The server has no upper limit, and its default of 100 hides the rest.
PATHS_PER_PAGE = 100_000
#: Smaller: decoding a page holds the event loop (5,000 take 2 ms).
CONNECTIONS_PER_PAGE = 5_000

T = TypeVar("T")

_PATHS = Decoder(Page[Path])
_CONNECTIONS = Decoder(Page[Connection])
_HLS_SESSIONS = Decoder(Page[HlsSession])
_SERVER = Decoder(Server)


class _TroubleError(Exception):
    """The node gave no usable answer."""

    def __init__(self, reason: str, answer: Answer = "silent") -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


class Client:
    """``timeout`` bounds each request, in seconds: a look at many readers takes many.

    ``user`` and ``password`` are needed where the server asks its auth endpoint about
    API calls too. ``turn``: held while a page is decoded, so that many nodes hold
    the event loop no longer than one does.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        api_url: str,
        user: str = "",
        password: str = "",
        timeout: float = WITHIN,
        turn: contextlib.AbstractAsyncContextManager[None] | None = None,
    ) -> None:
        self._turn = turn or asyncio.Lock()
        self._http = http
        self._base = api_url.rstrip("/") + "/v3"
        self._headers = (
            {"Authorization": aiohttp.encode_basic_auth(user, password)} if user else {}
        )
        self._timeout = timeout

    async def look(self, take: Take | None = None, *, quiet: bool = False) -> View:
        """Who publishes. Never raises for a node in trouble.

        ``take`` gets who watches, page by page, somebody perhaps twice; all of it
        counts only when the look ends with an answer. ``quiet``: nobody is expected
        there; where there is no path either, who is connected is not asked.

        Whoever publishes during the whole look is in it. Paths come before
        connections: a publisher that turns ready in between is then seen as a
        connection at least, and every path's source still has its connection, with
        its query, in the lists that follow. In the other order a source could come
        without its query.
        """
        try:
            return await self._view(take, quiet=quiet)
        except _TroubleError as trouble:
            return View(trouble.answer, trouble.reason)

    async def info(self) -> Info:
        """Which server it is, for people. Never raises for a node in trouble."""
        try:
            found = await self._info()
        except _TroubleError as trouble:
            return Info(trouble.answer, trouble.reason)
        return Info("answered", "", found.version, found.started)

    async def kick(self, source_type: str, source_id: str) -> KickResult:
        """Close a connection; its encoder may come back at once. Never raises.

        ``missing``: the node has no such connection. ``unknown``: it did not say, or
        the type is none that can be kicked.
        """
        try:
            return await self._kick(source_type, source_id)
        except _TroubleError:
            return "unknown"

    async def kick_readers(
        self, chosen: Callable[[Connection | HlsSession], bool]
    ) -> Answer:
        """Close those who watch and are chosen, as far as the node lists them: HLS
        from v1.18.0 on. ``answered`` when it listed them all and answered to each kick;
        never raises."""
        found: list[tuple[str, str]] = []
        answer: Answer = "answered"
        try:
            for reader_type in LIST_OF_TYPE:
                await self._choose(reader_type, chosen, found)
        except _TroubleError as trouble:
            answer = trouble.answer
        try:
            for one in found:
                await self._kick(*one)
        except _TroubleError as trouble:  # each of the others would wait as long
            answer = trouble.answer
        return answer

    async def _kick(self, source_type: str, source_id: str) -> KickResult:
        name = LIST_OF_TYPE.get(source_type)
        if name is None:
            return "unknown"
        what = f"{name}/kick/{quote(source_id, safe='')}"
        return _kick_result(*await self._ask("POST", what))

    async def _choose(
        self,
        reader_type: str,
        chosen: Callable[[Connection | HlsSession], bool],
        found: list[tuple[str, str]],
    ) -> None:
        async def take(readers: Sequence[Connection | HlsSession]) -> None:
            found.extend((reader_type, r.reader_id) for r in readers if chosen(r))

        if reader_type == HLS:
            await self._hls_sessions(take)
        else:
            await self._connections(reader_type, {}, take)

    async def _view(self, take: Take | None, *, quiet: bool) -> View:
        info = asyncio.create_task(self._info())
        paths = asyncio.create_task(self._paths())
        await _all_of(info, paths)
        if quiet and not paths.result():
            return View("answered", started=info.result().started)
        publishing: dict[str, tuple[str, Connection]] = {}
        lists = [self._connections(one, publishing, take) for one in PUBLISHER_TYPES]
        hls = [] if take is None else [asyncio.create_task(self._hls_sessions(take))]
        await _all_of(*map(asyncio.create_task, lists), *hls)
        return View(
            "answered",
            started=info.result().started,
            publishers=list(publishers(paths.result(), publishing)),
            lists_hls=any(one.result() for one in hls),
        )

    async def _info(self) -> Server:
        status, body = await self._ask("GET", "info")
        if status == 404:
            return Server()
        return _decoded("info", status, body, _SERVER)

    async def _paths(self) -> list[Path]:
        found: dict[str, Path] = {}

        async def keep(paths: Sequence[Path]) -> None:
            found.update((path.name, path) for path in paths)

        if not await self._list("paths", PATHS_PER_PAGE, _PATHS, keep):
            raise _TroubleError("it answered 404 to paths/list")
        return list(found.values())

    async def _connections(
        self,
        source_type: str,
        publishing: dict[str, tuple[str, Connection]],
        take: Take | None,
    ) -> None:
        async def sort_out(found: Sequence[Connection]) -> None:
            for one in found:
                if one.state == "publish":
                    publishing[one.reader_id] = (source_type, one)
            if take is not None:
                await take([one for one in found if one.state == "read"])

        name = LIST_OF_TYPE[source_type]
        await self._list(name, CONNECTIONS_PER_PAGE, _CONNECTIONS, sort_out)

    async def _hls_sessions(self, take: Take) -> bool:
        async def viewers(found: Sequence[HlsSession]) -> None:
            await take([one for one in found if not one.is_cdn])

        name = LIST_OF_TYPE[HLS]
        return await self._list(name, CONNECTIONS_PER_PAGE, _HLS_SESSIONS, viewers)

    async def _list(
        self,
        name: str,
        per_page: int,
        decoder: Decoder[Page[T]],
        take: Callable[[Sequence[T]], Awaitable[None]],
    ) -> bool:
        """Every item to ``take``; False where the node has no such list.

        Further pages are read from the last to the first. Connections are listed by
        age, so one that closes moves the later ones to an earlier page, where this
        still meets them; the other way round it would miss one.
        """
        first = await self._page(name, per_page, 0, decoder)
        if first is None:
            return False
        if first.page_count <= 1:
            await take(first.items)
            return True
        for number in reversed(range(first.page_count)):
            page = await self._page(name, per_page, number, decoder)
            if page is not None:
                await take(page.items)
        return True

    async def _page(
        self, name: str, per_page: int, number: int, decoder: Decoder[Page[T]]
    ) -> Page[T] | None:
        query = f"itemsPerPage={per_page}&page={number}"
        status, body = await self._ask("GET", f"{name}/list?{query}")
        if status == 404:
            return None
        async with self._turn:
            page = _decoded(f"{name}/list", status, body, decoder)
            await asyncio.sleep(0)
        return page

    async def _ask(self, method: str, what: str) -> tuple[int, bytes]:
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._http.request(
                    method,
                    f"{self._base}/{what}",
                    headers=self._headers,
                    allow_redirects=False,
                ) as response,
            ):
                return response.status, await response.read()
        except aiohttp.ClientConnectorError as error:
            if error.os_error.errno == errno.ECONNREFUSED:
                raise _TroubleError("connection refused", "refused") from None
            raise _TroubleError("it cannot be reached") from None
        except TimeoutError:
            raise _TroubleError(f"no answer within {self._timeout:g} s") from None
        except (aiohttp.ClientError, OSError):
            raise _TroubleError("the connection broke") from None


async def _all_of(*tasks: asyncio.Task[Any]) -> None:
    """Until each has ended; the first error breaks off the others and is raised.

    Before Python 3.13 a task group in which one fails leaves a cancellation of whoever
    waits for it behind: a time-out around that is taken for a cancellation then.
    """
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _decoded(what: str, status: int, body: bytes, decoder: Decoder[T]) -> T:
    if status != 200:
        raise _TroubleError(f"it answered {status} to {what}")
    try:
        return decoder.decode(body)
    except ValidationError:
        raise _TroubleError("its lists have another shape") from None
    except DecodeError:
        raise _TroubleError(f"its answer to {what} is not JSON") from None


def _kick_result(status: int, body: bytes) -> KickResult:
    if status == 200:
        return "kicked"
    # Before v1.5.0 a missing connection is a 500.
    if status == 404 or (status == 500 and b"not found" in body):
        return "missing"
    return "unknown"
