"""What stands in for asyncpg's pool and connections: they reach the real Postgres over
a network that is slow, breaks, or goes nowhere."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import asyncpg

from tests.simulator.loop import RUNNING, Process
from tests.simulator.network import Wire
from tests.simulator.postgres import Postgres, Said

Heard = Callable[[object, object, object, object], None]
CONNECT_WITHIN, LONGEST = 5.0, 10.0  # seconds, as base/database.py sets them


class Server:
    """Postgres as its clients see it."""

    def __init__(self, postgres: Postgres, wire: Wire) -> None:
        self.postgres = postgres
        self.wire = wire
        self.links: dict[Link, None] = {}
        self.on_commit: Callable[[Said], None] = lambda _: None
        #: What is about to be done at such a commit of such a process.
        self.at_commit: dict[Process, Callable[[Said], None]] = {}
        self.note: Callable[[str, str], None] = lambda _who, _what: None

    async def connect(self) -> "Link":
        process = RUNNING.get()
        assert process is not None, "nobody's connection would outlive who opened it"
        async with asyncio.timeout(CONNECT_WITHIN):
            await self.wire.travel()
        link = Link(self, process)
        self.links[link] = None
        process.on_death.append(link.cut)
        return link

    def cut_all(self) -> None:
        for link in list(self.links):
            link.cut()

    def committed(self, said: Said, process: Process) -> None:
        if not said:
            return
        self.on_commit(said)
        if process in self.at_commit:
            self.at_commit[process](said)
        for one in dict.fromkeys(said):
            kind, _, rest = one.partition("|")
            if kind == "notice":
                for link in self.links:
                    link.hear(*rest.split("|", 1))


class Link:
    """One connection. ``raw``: the real one, while it is in a transaction."""

    def __init__(self, server: Server, process: Process) -> None:
        self._server = server
        self._process = process
        self._raw: Any = None
        self._listeners: dict[str, Heard] = {}
        self._last_notice = 0.0
        self._marks: list[int] = []  # what was said before each savepoint
        self.depth = 0
        self.broken = False

    # What base/database.py uses of asyncpg's connection.

    async def fetch(
        self,
        query: str,
        *args: object,
        timeout: float | None = None,  # noqa: ASYNC109  (as asyncpg calls it)
    ) -> Any:
        return await self._ask("fetch", query, args, timeout)

    async def fetchrow(
        self,
        query: str,
        *args: object,
        timeout: float | None = None,  # noqa: ASYNC109  (as asyncpg calls it)
    ) -> Any:
        return await self._ask("fetchrow", query, args, timeout)

    async def fetchval(
        self,
        query: str,
        *args: object,
        timeout: float | None = None,  # noqa: ASYNC109  (as asyncpg calls it)
    ) -> Any:
        return await self._ask("fetchval", query, args, timeout)

    async def execute(self, query: str, *args: object) -> Any:
        return await self._ask("execute", query, args, None)

    async def executemany(self, query: str, rows: Iterable[Sequence[object]]) -> Any:
        return await self._ask("executemany", query, (list(rows),), None)

    def transaction(
        self, *, isolation: str | None = None, readonly: bool = False
    ) -> "Transaction":
        level = f" ISOLATION LEVEL {isolation.replace('_', ' ')}" if isolation else ""
        return Transaction(self, level + (" READ ONLY" if readonly else ""))

    async def add_listener(self, channel: str, callback: Heard) -> None:
        await self._server.wire.travel()
        self._listeners[channel] = callback

    def terminate(self) -> None:
        self.cut()

    # The rest.

    @property
    def in_transaction(self) -> bool:
        """Also in one that began when nobody waited for it any more."""
        return self._raw is not None

    def cut(self) -> None:
        """Its transaction never was."""
        if not self.broken:
            self.broken = True
            self._server.links.pop(self, None)
            if self._raw is not None:
                raw, self._raw = self._raw, None
                self._server.postgres.undo(raw)

    def hear(self, channel: str, payload: str) -> None:
        callback = self._listeners.get(channel)
        if callback is None:
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + self._server.wire.delay()
        self._last_notice = at = max(at, self._last_notice + 1e-6)
        context = self._process._context
        loop.call_at(at, self._deliver, callback, channel, payload, context=context)

    def _deliver(self, callback: Heard, channel: str, payload: str) -> None:
        if not self.broken:
            callback(None, None, channel, payload)

    async def simple(self, statement: str) -> None:
        """BEGIN and its relatives."""
        await self._ask("execute", statement, (), None)

    async def _ask(
        self, method: str, query: str, args: Sequence[object], within: float | None
    ) -> Any:
        try:
            async with asyncio.timeout(within or LONGEST):
                return await self._there_and_back(method, query, args)
        except TimeoutError:
            self.cut()
            raise

    async def _there_and_back(
        self, method: str, query: str, args: Sequence[object]
    ) -> Any:
        self._check()
        await self._server.wire.travel()
        self._check()
        if query == "SELECT 1":
            return 1
        result = await self._run(method, query, args)
        await self._server.wire.travel()
        self._check()
        return result

    async def _run(self, method: str, query: str, args: Sequence[object]) -> Any:
        postgres = self._server.postgres
        self._server.note(self._process.name, query)
        if self._raw is None:
            self._raw = postgres.borrow()
        raw = self._raw
        try:
            result = await postgres.query(raw, getattr(raw, method)(query, *args))
            self._mark(query, postgres.said(raw))
            return result
        finally:
            if self._raw is not None and not raw.is_in_transaction():
                said = postgres.heard(raw)
                self._raw = None
                postgres.give_back(raw)
                if not query.startswith("ROLLBACK"):
                    self._server.committed(said, self._process)

    def _mark(self, query: str, said: Said) -> None:
        """What is undone was not said."""
        if query.startswith("SAVEPOINT"):
            self._marks.append(len(said))
        elif query.startswith("RELEASE"):
            self._marks.pop()
        elif query.startswith("ROLLBACK TO"):
            del said[self._marks.pop() :]

    def _check(self) -> None:
        if self.broken:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed")


class Transaction:
    def __init__(self, link: Link, how: str) -> None:
        self._link = link
        self._how = how
        self._savepoint = ""

    async def start(self) -> None:
        if self._link.depth:
            self._savepoint = f"s{self._link.depth}"
            await self._link.simple(f"SAVEPOINT {self._savepoint}")
        else:
            await self._link.simple(f"BEGIN{self._how}")
        self._link.depth += 1

    async def commit(self) -> None:
        self._link.depth -= 1
        point = self._savepoint
        await self._link.simple(f"RELEASE SAVEPOINT {point}" if point else "COMMIT")

    async def rollback(self) -> None:
        self._link.depth -= 1
        point = self._savepoint
        await self._link.simple(
            f"ROLLBACK TO SAVEPOINT {point}" if point else "ROLLBACK"
        )


class Pool:
    """asyncpg's, as far as base/database.py uses it."""

    def __init__(self, server: Server, size: int) -> None:
        self._server = server
        self._free = asyncio.Semaphore(size)
        self._idle: deque[Link] = deque()

    async def acquire(self) -> Link:
        await self._free.acquire()
        try:
            while self._idle:
                link = self._idle.pop()
                if not link.broken:
                    return link
            return await self._server.connect()
        except BaseException:
            self._free.release()
            raise

    async def release(self, link: Link, **_: float) -> None:
        if link.in_transaction and not link.broken:
            link.cut()
        if not link.broken:
            self._idle.append(link)
        self._free.release()

    async def fetch(self, query: str, *args: object) -> Any:
        return await self._on_one("fetch", query, args)

    async def fetchrow(self, query: str, *args: object) -> Any:
        return await self._on_one("fetchrow", query, args)

    async def fetchval(self, query: str, *args: object) -> Any:
        return await self._on_one("fetchval", query, args)

    async def execute(self, query: str, *args: object) -> Any:
        return await self._on_one("execute", query, args)

    async def close(self) -> None:
        self.terminate()

    def terminate(self) -> None:
        for link in self._idle:
            link.cut()

    async def _on_one(self, method: str, query: str, args: Sequence[object]) -> Any:
        link = await self.acquire()
        try:
            return await getattr(link, method)(query, *args)
        finally:
            await self.release(link)
