"""Postgres: the pool, its connections, and notices. The driver's errors end here."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import (
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from control_plane.base import traces
from control_plane.base.faults import (
    Away,
    Collided,
    Elsewhere,
    Full,
    Missing,
    Rejected,
    Silent,
    Taken,
)
from control_plane.base.hosts import AWAY, connect, names_several, primary
from control_plane.base.tasks import Loop

Record: TypeAlias = asyncpg.Record
RawConnection: TypeAlias = "asyncpg.Connection[Record] | PoolConnectionProxy[Record]"

CLOSING = 3.0  # seconds
#: Of what was given up: its server may say nothing any more, and would be waited for
#: as long as for an answer.
GIVEN_UP = 1.0  # seconds
FOLLOW_EVERY = 10.0  # seconds
#: What the row itself is to blame for; the last one: a value too long for an index.
REJECTED = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,
)
_open: dict[str, set["Pool"]] = defaultdict(set)  # by URL


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """The driver's errors as ours."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise Taken(str(error)) from error
    except asyncpg.ForeignKeyViolationError as error:
        raise Missing(str(error)) from error
    except REJECTED as error:
        raise Rejected(str(error)) from error
    except asyncpg.TransactionRollbackError as error:
        raise Collided(str(error)) from error
    except TimeoutError as error:
        raise Silent(f"Postgres: {error!r}") from error
    except asyncpg.ReadOnlySQLTransactionError as error:
        raise Elsewhere(f"Postgres: {error!r}") from error
    except asyncpg.DiskFullError as error:
        raise Full(f"Postgres: {error!r}") from error
    except AWAY as error:
        raise Away(f"Postgres: {error!r}") from error


class Executor(Protocol):
    """What a single query can be run on. All of it raises StoreFault."""

    async def fetch(self, query: str, *args: object) -> list[Record]: ...

    async def fetchrow(self, query: str, *args: object) -> Record | None: ...

    async def fetchval(self, query: str, *args: object) -> Any: ...

    async def execute(self, query: str, *args: object) -> str: ...


class Connection:
    """An :class:`Executor`, and where transactions are."""

    def __init__(self, raw: RawConnection) -> None:
        self._raw = raw

    async def fetch(self, query: str, *args: object) -> list[Record]:
        with translated():
            return await self._raw.fetch(query, *args)

    async def fetchrow(self, query: str, *args: object) -> Record | None:
        with translated():
            return await self._raw.fetchrow(query, *args)

    async def fetchval(
        self, query: str, *args: object, within: float | None = None
    ) -> Any:
        with translated():
            return await self._raw.fetchval(query, *args, timeout=within)

    async def execute(self, query: str, *args: object) -> str:
        with translated():
            return await self._raw.execute(query, *args)

    async def executemany(self, query: str, rows: Iterable[Sequence[object]]) -> None:
        with translated():
            await self._raw.executemany(query, rows)

    @contextlib.asynccontextmanager
    async def transaction(
        self,
        *,
        isolation: Literal["repeatable_read", "serializable"] | None = None,
        readonly: bool = False,
    ) -> AsyncIterator[None]:
        """Inside another one: a savepoint."""
        transaction = self._raw.transaction(isolation=isolation, readonly=readonly)
        with translated():
            await transaction.start()
        try:
            yield
        except BaseException:
            # What went wrong inside says more than that nothing can be undone now.
            with contextlib.suppress(Away), translated():
                async with asyncio.timeout(GIVEN_UP):
                    await transaction.rollback()
            raise
        with translated():
            await transaction.commit()


class Use(NamedTuple):
    """Connections of a pool."""

    busy: int
    idle: int
    most: int


class Pool:
    """An :class:`Executor`: each query on a connection of its own."""

    def __init__(
        self, raw: "asyncpg.Pool[Record]", alike: "set[Pool]", url: str
    ) -> None:
        """``alike``: all with the same ``url``."""
        self._raw = raw
        self._alike = alike
        self._url = url
        self._primary = ""
        self._renewed_at = float("-inf")

    @property
    def use(self) -> Use:
        there, idle = self._raw.get_size(), self._raw.get_idle_size()
        return Use(there - idle, idle, self._raw.get_max_size())

    async def fetch(self, query: str, *args: object) -> list[Record]:
        async with self.acquire() as connection:
            return await connection.fetch(query, *args)

    async def fetchrow(self, query: str, *args: object) -> Record | None:
        async with self.acquire() as connection:
            return await connection.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: object) -> Any:
        async with self.acquire() as connection:
            return await connection.fetchval(query, *args)

    async def execute(self, query: str, *args: object) -> str:
        async with self.acquire() as connection:
            return await connection.execute(query, *args)

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        try:
            with translated():
                raw = await self._raw.acquire()
            try:
                yield Connection(raw)
            finally:
                # What happened says more than that the connection is lost with it.
                with contextlib.suppress(Away), translated():
                    await self._raw.release(raw, timeout=GIVEN_UP)
        except Elsewhere as fault:
            await self.renew(fault)
            raise

    async def renew(self, because: Elsewhere) -> None:
        """Connections that are open now are used no more, here and in pools alike: the
        primary is another server, or theirs went silent. Those that only read would
        not notice. Once a second is enough where no server takes writes; a server that
        is the only one and slow gets no new connections besides."""
        if isinstance(because, Silent) and not names_several(self._url):
            return
        now = time.monotonic()
        if now - self._renewed_at >= 1.0:
            self._renewed_at = now
            for pool in tuple(self._alike):
                await pool._raw.expire_connections()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Of several servers another may become the primary, and who only reads would
        not notice: it is looked for from time to time."""
        if not names_several(self._url):
            yield
            return
        async with Loop("primary", self._follow, FOLLOW_EVERY).running():
            yield

    async def _follow(self) -> None:
        before, self._primary = self._primary, await primary(self._url)
        if before not in ("", self._primary):
            await self.renew(Elsewhere("Postgres: another server is the primary"))

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self.acquire() as connection, connection.transaction():
            yield connection


@contextlib.asynccontextmanager
async def open_pool(
    url: str, size: int = 10, *, at_once: int = 1, pooled: bool = False
) -> AsyncIterator[Pool]:
    """At most ``size`` connections, of which some are opened ``at_once``; each query
    takes at most 10 s. ``pooled``: a pooler's URL, whose connections do not know what
    was prepared before."""
    settings = {"timezone": "UTC", "application_name": "control-plane"}
    to_primary: Any = connect  # the stubs want all of asyncpg's own arguments
    with translated():
        raw = await asyncpg.create_pool(
            url,
            min_size=at_once,
            max_size=size,
            command_timeout=10.0,
            statement_cache_size=0 if pooled else 100,
            server_settings=settings,
            connect=to_primary,
            reset=_as_it_is,
            init=_traced,
        )
    pool = Pool(raw, _open[url], url)
    _open[url].add(pool)
    try:
        yield pool
    finally:
        _open[url].remove(pool)
        await _close(raw)


async def _as_it_is(_connection: object) -> None:
    """Before this asyncpg rolls back what was left open, and closes what cannot be.
    Its own query after that would cost each use a round trip, to undo what nothing
    here does on a pool's connection: SET, LISTEN, and locks of a session."""


async def _traced(opened: "asyncpg.Connection[Record]") -> None:
    if (tracing := traces.current()) is not None:
        opened.add_query_logger(tracing.asked_postgres)


async def _close(pool: "asyncpg.Pool[Record]") -> None:
    """What still runs after a while is cut off."""
    try:
        async with asyncio.timeout(CLOSING):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def ping(pool: Pool) -> None:
    """Raises Away."""
    await pool.fetchval("SELECT 1")


class Server(NamedTuple):
    """``takes_writes``: it is no standby, nor set to take none. ``clock``: as it goes
    there, unix seconds."""

    takes_writes: bool
    clock: float


async def server(executor: Executor) -> Server:
    """Raises Away."""
    row = await executor.fetchrow(
        "SELECT current_setting('transaction_read_only') = 'off',"
        " extract(epoch FROM clock_timestamp())::float"
    )
    if row is None:
        raise RuntimeError("a SELECT without a table gave no row")
    return Server(*row)


class Notices:
    """A connection that hears what others say with ``NOTIFY``."""

    def __init__(self, raw: RawConnection) -> None:
        self._raw = raw

    async def check(self) -> None:
        """Raises Away when nothing can be heard any more."""
        if not (await server(Connection(self._raw))).takes_writes:
            raise Elsewhere("Postgres takes no writes, so it has nothing to say")


@contextlib.asynccontextmanager
async def listening(
    url: str, heard: Mapping[str, Callable[[str], object]]
) -> AsyncIterator[Notices]:
    """``heard``: by channel, what is called with each payload."""
    connection = await connect(url, within=3.0, command_timeout=3.0)
    try:
        for channel, callback in heard.items():
            with translated():
                await connection.add_listener(channel, _called_with_payload(callback))
        yield Notices(connection)
    finally:
        connection.terminate()


def _called_with_payload(
    callback: Callable[[str], object],
) -> Callable[[object, object, object, object], None]:
    def called(
        _connection: object, _pid: object, _channel: object, text: object
    ) -> None:
        callback(str(text))

    return called
