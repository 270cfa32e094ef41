import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from control_plane.base import schema
from control_plane.base.database import RawConnection
from control_plane.base.schema import MayNotMigrate, Migrated, migrate, migrations
from deploy.local.place import Urls
from tests.support.api import running, settings


async def test_ten_replicas_may_start_at_once(empty_database_url: str) -> None:
    applied = await asyncio.gather(*(migrate(empty_database_url) for _ in range(10)))
    names = [name for name, _ in migrations()]
    assert sorted(applied) == [Migrated([], [])] * 9 + [Migrated(names, [])]
    assert await migrate(empty_database_url) == Migrated([], [])


async def test_the_service_may_find_that_all_is_there(database: Urls) -> None:
    assert await migrate(database.service) == Migrated([], [])


BEFORE = [
    *migrations(),
    ("8000_greetings.sql", "CREATE TABLE greetings (text text)"),
]
AFTER = [
    *BEFORE,
    ("9000_words.sql", "ALTER TABLE greetings ADD words text[]"),
    ("9000_words.post.sql", "ALTER TABLE greetings DROP text"),
]


async def test_two_versions_run_side_by_side(empty_database_url: str) -> None:
    """What the one before still uses is taken away when it is asked for."""
    url = empty_database_url
    await migrate(url, known=BEFORE)

    found = await migrate(url, known=AFTER)
    assert found == (["9000_words.sql"], ["9000_words.post.sql"])
    assert await migrate(url, known=BEFORE) == ([], [])
    assert await _columns(url) == {"text", "words"}

    found = await migrate(url, known=AFTER, post=True)
    assert found == (["9000_words.post.sql"], [])
    assert await _columns(url) == {"words"}


async def test_on_an_empty_database_nothing_waits(empty_database_url: str) -> None:
    _, waiting = await migrate(empty_database_url, known=AFTER)
    assert waiting == []
    assert await _columns(empty_database_url) == {"words"}


async def _columns(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = 'greetings'"
        )
    finally:
        await connection.close()
    return {row["column_name"] for row in rows}


async def test_a_postgres_that_is_too_old_is_named(
    empty_database: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "OLDEST", 1000)
    with pytest.raises(MayNotMigrate, match=r"^This is Postgres \d+; 1000 or newer"):
        await migrate(empty_database.owner)


async def test_who_may_not_migrate_says_so(empty_database: Urls) -> None:
    if empty_database.service == empty_database.owner:
        pytest.skip("DATABASE_URL names one role for everything")
    with pytest.raises(MayNotMigrate, match="CONTROL_PLANE_MIGRATIONS_URL"):
        await migrate(empty_database.service)


async def test_the_owner_migrates_for_the_service(
    empty_database: Urls, redis_url: str
) -> None:
    """The service starts on an empty database of somebody else's."""
    wanted = settings(
        empty_database.service, redis_url, migrations_url=empty_database.owner
    )
    async with running(wanted) as app:
        ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
        await ann.ask("followUser", {"receiver_id": bob.id})
    async with running(settings(empty_database.service, redis_url)) as app:
        assert (await app.sign_in("ann")).id == ann.id


SESSION = """
    INSERT INTO live_streaming_sessions (user_id, path, node, status, longest{names})
    VALUES (1, 'live/1', 'local', '{status}', '1 hour'{values})
"""
NODE = "INSERT INTO nodes VALUES ('local', '', '', '', '', '', '')"
LIVE = {"started_at": "now()", "publisher_id": "'s'"}
OVER = {"ended_at": "now()", "end_reason": "'kicked'"}


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[RawConnection]:
    opened = await asyncpg.connect(database_url)
    await opened.execute(NODE)
    await opened.execute("INSERT INTO users (username) VALUES ('ann')")
    yield opened
    await opened.close()


def _insert(status: str, values: dict[str, str]) -> str:
    names = "".join(f", {name}" for name in values)
    return SESSION.format(
        status=status,
        names=names,
        values="".join(f", {value}" for value in values.values()),
    )


@pytest.mark.parametrize(
    ("status", "values"),
    [
        ("live", {"started_at": "now()"}),
        ("created", {"publisher_id": "'s'"}),
        ("reconnecting", {"started_at": "now()"}),
        ("ended", {}),
        ("ended", {"ended_at": "now()"}),
        ("created", OVER),
        ("paused", {}),
        ("ended", {"ended_at": "now()", "end_reason": "'bored'"}),
        ("created", {"reconnect_window": "1801"}),
    ],
)
async def test_impossible_sessions_are_refused(
    connection: RawConnection,
    status: str,
    values: dict[str, str],
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(_insert(status, values))


async def test_ended_is_final(connection: RawConnection) -> None:
    await connection.execute(_insert("ended", OVER))
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(
            "UPDATE live_streaming_sessions SET status = 'live', ended_at = NULL,"
            " end_reason = NULL, publisher_id = 's', started_at = now()"
        )


async def test_one_open_session_for_a_path_and_a_user(
    connection: RawConnection,
) -> None:
    await connection.execute(_insert("live", LIVE))
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute(_insert("created", {}))
