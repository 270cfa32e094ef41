"""The log's monthly partitions."""

import json

import asyncpg
import pytest

from control_plane.base.database import Pool
from control_plane.events.keeping import Keeping
from tests.support.commands import command
from tests.support.log import bonus, new_user, whole_log
from tests.support.stack import until

PARTITIONS = """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'events'::regclass ORDER BY 1
"""
MONTH = "to_char(now() AT TIME ZONE 'UTC' + interval '{} month', '\"events_\"YYYY_MM')"


OWNS = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE relname = $1"


async def partitions(pool: Pool) -> list[str]:
    return [row["relname"] for row in await pool.fetch(PARTITIONS)]


async def month(pool: Pool, away: int) -> str:
    return str(await pool.fetchval(f"SELECT {MONTH.format(away)}"))


async def _old_month(owner: Pool, months_ago: int) -> None:
    """A partition, and the events in it, of a month that is long over."""
    name = await month(owner, -months_ago)
    first = f"date_trunc('month', now()) - interval '{months_ago} month'"
    bounds = await owner.fetchrow(
        f"SELECT ({first})::text AS first, ({first} + interval '1 month')::text AS last"
    )
    assert bounds is not None
    await owner.execute(
        f"CREATE TABLE {name} PARTITION OF events"
        f" FOR VALUES FROM ('{bounds['first']}') TO ('{bounds['last']}')"
    )
    await owner.execute(
        f"UPDATE events SET created_at = '{bounds['first']}'"  # noqa: S608
        f" WHERE created_at > date_trunc('month', now())"
    )


async def test_the_months_that_come_are_there(pool: Pool) -> None:
    coming = [await month(pool, away) for away in (0, 1, 2)]
    assert await partitions(pool) == [*coming, "events_other"]
    await Keeping(pool, 0).turn()
    assert await partitions(pool) == [*coming, "events_other"]


async def test_a_missing_month_is_made(pool: Pool, owner: Pool) -> None:
    """By the service, which does not own the tables."""
    name = await month(pool, 2)
    await owner.execute(f"DROP TABLE {name}")
    await Keeping(pool, 0).turn()
    assert name in await partitions(pool)


async def test_no_event_is_lost_for_want_of_a_month(pool: Pool, owner: Pool) -> None:
    name = await month(pool, 0)
    await owner.execute(f"DROP TABLE {name}")
    user = await new_user(pool)
    await bonus(pool, user, 1)
    await Keeping(pool, 0).turn()
    await bonus(pool, user, 2)
    assert await pool.fetchval("SELECT count(*) FROM events") == 2
    assert name not in await partitions(pool)


async def test_what_is_written_stays_in_each_of_them(pool: Pool) -> None:
    await bonus(pool, await new_user(pool))
    if await pool.fetchval(OWNS, "events"):
        pytest.skip("DATABASE_URL names one role for everything")
    for name in await partitions(pool):
        for change in (f"TRUNCATE {name}", f"ALTER TABLE {name} RENAME TO old"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute(change)


async def test_old_months_go(pool: Pool, owner: Pool) -> None:
    user = await new_user(pool)
    for months_ago, coin in ((3, 1), (1, 2)):
        await bonus(pool, user, coin)
        await _old_month(owner, months_ago)
    await bonus(pool, user, 3)
    before = await partitions(pool)
    await Keeping(pool, 0).turn()
    assert await partitions(pool) == before
    await Keeping(pool, 1).turn()
    assert await partitions(pool) == [n for n in before if n != await month(pool, -3)]
    rows = await pool.fetch("SELECT data->>'coin' AS coin FROM events ORDER BY seq")
    assert [row["coin"] for row in rows] == ["2", "3"]


async def test_old_events_without_a_month_go_too(pool: Pool, owner: Pool) -> None:
    await bonus(pool, await new_user(pool))
    await owner.execute("UPDATE events SET created_at = now() - interval '1 year'")
    await Keeping(pool, 2).turn()
    assert await whole_log(pool) == []


async def test_one_month_is_exported_alone(
    pool: Pool, owner: Pool, env: dict[str, str]
) -> None:
    user = await new_user(pool)
    await bonus(pool, user, 1)
    await _old_month(owner, 3)
    await bonus(pool, user, 2)

    async def exported(name: str) -> list[int]:
        month = name.removeprefix("events_").replace("_", "-")
        said = await command(env, "events", "export", "--month", month)
        return [json.loads(line)["data"]["coin"] for line in said.output.splitlines()]

    await until(lambda: exported_is(pool, 2))
    assert await exported(await month(pool, -3)) == [1]
    assert await exported(await month(pool, 0)) == [2]
    assert await exported(await month(pool, -1)) == []
    for wrong in ("2026-13", "november", "2026-1"):
        said = await command(env, "events", "export", "--month", wrong)
        assert said.exit_code == 2


async def exported_is(pool: Pool, count: int) -> bool:
    """Once nothing that runs elsewhere on this server holds the end back."""
    return len(await whole_log(pool)) == count
