"""A reader that goes on from where it stopped has missed nothing."""

import asyncio
import random
from itertools import groupby

from control_plane.base.database import Pool
from control_plane.base.schema import migrate
from control_plane.events import store
from control_plane.events.model import BEGINNING, Event, Position
from tests.support.log import bonus, bonus_in, new_user, whole_log
from tests.support.stack import until


async def _events(pool: Pool, count: int) -> list[Event]:
    async def all_there() -> list[Event] | None:
        found = await whole_log(pool)
        return found if len(found) >= count else None

    found: list[Event] = await until(all_there, pause=0.01)
    assert len(found) == count
    return found


async def test_what_commits_late_is_not_behind_the_cursor(pool: Pool) -> None:
    slow, fast = await new_user(pool), await new_user(pool)
    cursor = BEGINNING
    async with pool.transaction() as connection:
        await bonus_in(connection, slow)
        for _ in range(3):
            await bonus(pool, fast)
        read = await store.after(pool, cursor, 100)
        if read:
            cursor = read[-1].position
    await _events(pool, 4)
    read += await store.after(pool, cursor, 100)
    assert [event.subject_id for event in read] == [slow, fast, fast, fast]


async def test_every_event_is_read_once_while_many_write(pool: Pool) -> None:
    users = [await new_user(pool) for _ in range(4)]
    chance = random.Random(5)  # noqa: S311
    written = 0

    async def write() -> None:
        nonlocal written
        for _ in range(15):
            wait, users_of_one = chance.random() / 100, chance.sample(users, 2)
            async with pool.transaction() as connection:
                await connection.fetchval("SELECT pg_current_xact_id()")
                await asyncio.sleep(wait)
                for user in sorted(users_of_one):
                    await bonus_in(connection, user)
                await asyncio.sleep(wait)
            written += 2

    read: list[Event] = []

    async def follow() -> None:
        while len(read) < 8 * 15 * 2:
            at = read[-1].position if read else BEGINNING
            read.extend(await store.after(pool, at, 5))
            await asyncio.sleep(0)

    async with asyncio.timeout(60):
        await asyncio.gather(follow(), *(write() for _ in range(8)))
    assert read == await _events(pool, written)
    assert len({event.id for event in read}) == written
    for user in users:
        seqs = [event.seq for event in read if event.subject_id == user]
        assert seqs == list(range(1, len(seqs) + 1))


async def test_the_log_keeps_the_order_of_each_subject(pool: Pool) -> None:
    """Also when the transaction that comes second began first."""
    user = await new_user(pool)
    async with pool.transaction() as first:
        await first.fetchval("SELECT pg_current_xact_id()")
        await bonus(pool, user, 1)
        await bonus_in(first, user, 2)
    events = await _events(pool, 2)
    assert [(event.seq, event.data["coin"]) for event in events] == [(1, 1), (2, 2)]


async def test_from_the_end_only_what_comes_is_read(pool: Pool) -> None:
    user = await new_user(pool)
    await bonus(pool, user, 1)
    await _events(pool, 1)
    end = await store.end(pool)
    await bonus(pool, user, 2)
    await _events(pool, 2)
    assert [e.data["coin"] for e in await store.after(pool, end, 9)] == [2]


async def test_one_subject_can_be_read_alone(pool: Pool) -> None:
    one, other = await new_user(pool), await new_user(pool)
    for user in (one, other, one):
        await bonus(pool, user)
    first, _, last = await _events(pool, 3)
    found = await store.of_subject_after(pool, BEGINNING, "user", one)
    assert found == [first, last]
    assert await store.of_subject_after(pool, first.position, "user", one) == [last]


async def test_a_cursor_outlives_a_move_to_another_server(
    pool: Pool, owner: Pool, owner_url: str
) -> None:
    """There transactions are counted anew."""
    user = await new_user(pool)
    await bonus(pool, user, 1)
    await _events(pool, 1)
    await owner.execute("UPDATE events SET xid = '9000000000'")
    await owner.execute("UPDATE users SET event_xid = '9000000000'")
    cursor = Position(0, 9_000_000_000, 2**40)
    await migrate(owner_url)
    await bonus(pool, user, 2)
    assert [e.data["coin"] for e in await _events(pool, 2)] == [1, 2]
    assert [e.data["coin"] for e in await store.after(pool, cursor, 9)] == [2]


async def test_an_era_ends_once(pool: Pool, owner: Pool, owner_url: str) -> None:
    await bonus(pool, await new_user(pool))
    await owner.execute("UPDATE events SET xid = '9000000000'")
    for _ in range(2):
        await migrate(owner_url)
    assert await pool.fetchval("SELECT count(*) FROM event_eras") == 2
    await bonus(pool, await new_user(pool))
    await migrate(owner_url)
    assert [era for era, _ in groupby(await _events(pool, 2), _era)] == [0, 1]


async def test_ids_that_another_server_gave_are_given_to_nothing_else(
    pool: Pool, owner: Pool, owner_url: str
) -> None:
    """It may have told more events than those that came along."""
    await bonus(pool, await new_user(pool))
    await owner.execute("UPDATE events SET xid = '9000000000'")
    await migrate(owner_url)
    await bonus(pool, await new_user(pool))
    first, then = await _events(pool, 2)
    assert then.position.id - first.position.id > 1_000_000


def _era(event: Event) -> int:
    return event.position.era
