"""The data of 0.1.0, whose tables were others, copied into a new database.

Meanwhile, and from then on, the old database takes no writes: what 0.1.0 runs on it
goes on reading, and can write again where the copy was not made.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from types import MappingProxyType
from typing import NamedTuple

import asyncpg

from control_plane.base.database import RawConnection, translated
from control_plane.base.hosts import connect
from control_plane.base.schema import FIRST_VERSION, applied

MOST_WAITING = 64  # pieces of what was read and is not written yet
ENDS_WITHIN = 5000  # milliseconds


class NotUpgraded(Exception):
    """The text is a sentence for people."""


class Upgraded(NamedTuple):
    """``rows``: of each table. ``seconds``: how long nothing could be written."""

    rows: Mapping[str, int]
    seconds: float


class Table(NamedTuple):
    """``columns``: SQL of the old table for those that have another name or meaning
    now. ``source``: where rows are read, if not all of the old table."""

    name: str
    columns: Mapping[str, str] = MappingProxyType({})
    source: str = ""


#: 0.1.0 kept nowhere which key it was: 0 says so.
_EVENT_DATA = """CASE WHEN type IN
    ('live.started', 'live.resumed', 'live.publisher_replaced')
    THEN data || '{"key_id": 0}' ELSE data END"""
#: Each subject's in their order, and all of them nearly in time's.
_EVENTS = """(SELECT *, max(created_at)
    OVER (PARTITION BY subject, subject_id ORDER BY seq) AS reached FROM events) e
    ORDER BY reached, subject, subject_id, seq"""
#: It took back all of a purchase, and owed what was spent.
_REFUNDED = "CASE status WHEN 'refunded' THEN coins ELSE 0 END"
_OUTCOME = """CASE WHEN outcome ? 'coin' THEN (outcome - 'coin')
    || jsonb_build_object('coins', outcome -> 'coin') ELSE outcome END"""

#: In the order in which rows refer to each other. Wallets follow from the entries;
#: feeds, and what guests watched, begin anew.
TABLES = (
    Table("users"),
    Table("identities"),
    Table("user_counts"),
    Table("follows"),
    Table("blocks"),
    Table("report_reasons"),
    Table("reports"),
    Table("devices"),
    Table("nodes", {"owner": "NULL::text", "lease_until": "NULL::timestamptz"}),
    Table("channels"),
    Table("live_streaming_sessions"),
    Table("stream_keys"),
    Table("publish_grants"),
    Table("videos"),
    Table("video_likes"),
    Table("video_views", source="video_views WHERE viewer LIKE 'user %'"),
    Table(
        "ledger_transfers",
        {"kind": "CASE kind WHEN 'grant' THEN 'bonus' ELSE kind END"},
    ),
    Table("ledger_entries"),
    Table("gifts", {"coins": "coin"}),
    Table("gift_transactions", {"coins": "coin"}),
    Table("coin_packages"),
    Table("coin_products"),
    Table(
        "purchases",
        {
            "trial": "false",
            "refunded_coins": _REFUNDED,
            "taken_coins": _REFUNDED,
        },
    ),
    Table("early_refunds"),
    Table("payout_methods"),
    Table("withdraw_requests", {"coins": "coin"}),
    Table("idempotency_keys", {"outcome": _OUTCOME}),
    Table(
        "events",
        {
            "xid": "'{xid}'::xid8",
            "type": "CASE type WHEN 'coins.granted' THEN 'coins.bonus' ELSE type END",
            "version": "1::smallint",
            "data": _EVENT_DATA,
        },
        _EVENTS,
    ),
)

#: What a new database comes with, and the old one has as its operators left it.
_EMPTIED = """
    DELETE FROM coin_products; DELETE FROM coin_packages; DELETE FROM gifts;
    DELETE FROM report_reasons
"""
#: They lock each name and tell who listens of each row; names are looked at once.
_TRIGGERS = (
    ("users", "username_insert"),
    ("channels", "channel_name"),
    ("channels", "channel_notice"),
    ("live_streaming_sessions", "session_notice_insert"),
    ("stream_keys", "key_notice"),
)
_BANS = """
    INSERT INTO bans (user_id, reason, actor, created_at)
    SELECT id, ban_reason, '', banned_at FROM users WHERE banned_at IS NOT NULL
"""
_NAMES_OF_TWO = """
    SELECT name FROM (
        SELECT lower(username) AS name, id AS user_id FROM users WHERE username <> ''
        UNION SELECT name, user_id FROM channels
        UNION SELECT lower(username), substr(username, 6)::integer FROM users
            WHERE lower(username) ~ '^user-[0-9]{1,9}$'
    ) taken GROUP BY name HAVING count(DISTINCT user_id) > 1 ORDER BY name LIMIT 10
"""
_WALLETS = "user_id, paid, bonus, earnings, hold, owed, received"
_WALLETS_BEFORE = f"""
    CREATE TEMP TABLE wallets_before ON COMMIT DROP
    AS SELECT {_WALLETS} FROM wallets WITH NO DATA
"""  # noqa: S608
_END_OTHERS = f"""
    SELECT coalesce(bool_and(pg_terminate_backend(pid, {ENDS_WITHIN})), true)
    FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""  # noqa: S608
_COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


async def upgrade(old_url: str, new_url: str, *, rehearse: bool = False) -> Upgraded:
    """All or nothing. ``new_url``: migrated, never used, and as the tables' owner.
    ``rehearse``: nothing is kept, and the old one takes writes all the while. Raises
    NotUpgraded and StoreFault."""
    with translated(), _owner():
        async with _opened(old_url) as old, _opened(new_url) as new:
            await _check(old, new)
            if rehearse:
                return await _copied(old, new, keep=False)
            async with _read_only(old):
                done = await _copied(old, new, keep=True)
            await new.execute("ANALYZE")
            return done


@contextmanager
def _owner() -> Iterator[None]:
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise NotUpgraded(f"Name the owner of the databases: {error}.") from None


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[RawConnection]:
    settings = {"timezone": "UTC", "default_transaction_read_only": "off"}
    connection = await connect(url, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


async def _check(old: RawConnection, new: RawConnection) -> None:
    has_any = await old.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL")
    if not has_any or await applied(old) != FIRST_VERSION:
        raise NotUpgraded("The old database is not one of version 0.1.0.")
    used = "SELECT EXISTS (SELECT FROM users) OR EXISTS (SELECT FROM nodes)"
    if await new.fetchval(used):
        raise NotUpgraded("The new database was used already: name an empty one.")


@asynccontextmanager
async def _read_only(old: RawConnection) -> AsyncIterator[None]:
    """It stays so, unless something goes wrong. Whoever is connected connects again."""
    name = await old.fetchval("SELECT quote_ident(current_database())")
    await old.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        if not await old.fetchval(_END_OTHERS):
            raise NotUpgraded("Somebody's connection to the old database does not end.")
        yield
    except BaseException:
        await old.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await old.execute(_END_OTHERS)
        raise


async def _copied(old: RawConnection, new: RawConnection, *, keep: bool) -> Upgraded:
    begin = time.monotonic()
    transaction = new.transaction()
    await transaction.start()
    try:
        async with old.transaction(isolation="repeatable_read", readonly=True):
            rows = await _all_tables(old, new)
            await _compare_wallets(old, new)
    except BaseException:
        await transaction.rollback()
        raise
    await (transaction.commit() if keep else transaction.rollback())
    return Upgraded(rows, time.monotonic() - begin)


async def _all_tables(old: RawConnection, new: RawConnection) -> Mapping[str, int]:
    await new.execute(_EMPTIED)
    await _switch(new, "DISABLE")
    xid = await new.fetchval("SELECT pg_current_xact_id()::text")
    rows = {table.name: await _copy(old, new, table, xid) for table in TABLES}
    await new.execute(_BANS)
    await _switch(new, "ENABLE")
    if names := [row["name"] for row in await new.fetch(_NAMES_OF_TWO)]:
        raise NotUpgraded(
            "These names belong to two users each, as a username or as a channel's, and"
            f" one has to be changed in the old database: {', '.join(names)}."
        )
    return rows


async def _switch(new: RawConnection, how: str) -> None:
    for table, trigger in _TRIGGERS:
        await new.execute(f"ALTER TABLE {table} {how} TRIGGER {trigger}")


async def _copy(
    old: RawConnection, new: RawConnection, table: Table, xid: str = ""
) -> int:
    """How many rows."""
    read = {name: name for name in await _columns(old, table.name)}
    read |= table.columns
    columns = [name for name in await _columns(new, table.name) if name in read]
    chosen = ", ".join(read[name].replace("{xid}", xid) for name in columns)
    query = f"SELECT {chosen} FROM {table.source or table.name}"  # noqa: S608
    rows = await _stream(old, query, new, table.name, columns)
    await _go_on_counting(old, new, table.name)
    return rows


async def _columns(connection: RawConnection, table: str) -> list[str]:
    return [row["attname"] for row in await connection.fetch(_COLUMNS, table)]


async def _stream(
    old: RawConnection, query: str, new: RawConnection, table: str, columns: list[str]
) -> int:
    pieces: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)

    async def read() -> str:
        said = await old.copy_from_query(query, output=pieces.put, format="binary")
        await pieces.put(b"")
        return said

    async def arriving() -> AsyncIterator[bytes]:
        while piece := await pieces.get():
            yield piece

    writing = new.copy_to_table(
        table, source=arriving(), columns=columns, format="binary"
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            there = tasks.create_task(read())
            here = tasks.create_task(writing)
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    if there.result() != here.result():
        raise NotUpgraded(f"{table}: {there.result()} there, {here.result()} here.")
    return int(here.result().removeprefix("COPY "))


async def _go_on_counting(old: RawConnection, new: RawConnection, table: str) -> None:
    """No id that an app has seen is given to something else."""
    if "id" not in await _columns(old, table):
        return
    name = await old.fetchval("SELECT pg_get_serial_sequence($1, 'id')", table)
    [last] = await old.fetch(f"SELECT last_value, is_called FROM {name}")  # noqa: S608
    await new.execute(
        "SELECT setval(pg_get_serial_sequence($1, 'id'), $2, $3)", table, *last
    )


async def _compare_wallets(old: RawConnection, new: RawConnection) -> None:
    """Here they were made from entries anew."""
    await new.execute(_WALLETS_BEFORE)
    await _stream(
        old,
        f"SELECT {_WALLETS} FROM wallets",  # noqa: S608
        new,
        "wallets_before",
        _WALLETS.split(", "),
    )
    wrong = await new.fetchval(
        f"SELECT count(*) FROM (SELECT {_WALLETS}, 0 FROM wallets_before"  # noqa: S608
        f" EXCEPT SELECT {_WALLETS}, trial FROM wallets) differing"
    )
    if wrong:
        raise NotUpgraded(f"{wrong} wallets do not hold what their entries say.")
