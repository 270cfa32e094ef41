"""Finding people, among very many too."""

import re
from typing import Any

from control_plane.base.database import Pool
from control_plane.people.service.profiles import LEAST_WORDS, MOST_FOUND, Profiles
from control_plane.people.service.social import Social
from control_plane.people.store.profiles import LAST, SEARCH
from tests.people.conftest import Join

MANY = 100_000
BATCH = 10_000


async def _names(profiles: Profiles, words: str, page: int = 0, me: int = 0) -> Any:
    return [one.user.username for one in await profiles.search(me, words, page)]


async def test_a_beginning_finds_usernames_and_names(
    profiles: Profiles, join: Join
) -> None:
    await join("maria", first_name="Zoë", last_name="Stone")
    await join("mark_twain")
    await join("Mark")

    assert await _names(profiles, "mar") == ["Mark", "maria", "mark_twain"]
    assert await _names(profiles, "MARK") == ["Mark", "mark_twain"]
    assert await _names(profiles, "zoë s") == ["maria"]
    assert await _names(profiles, "stone") == []
    for nothing in ("mark%", "mar_", "\\", "mark" + LAST, "m" * (LEAST_WORDS - 1)):
        assert await _names(profiles, nothing) == []


async def test_whom_one_should_not_see_is_not_found(
    profiles: Profiles, social: Social, join: Join, pool: Pool
) -> None:
    ann, bob, eve = [await join(name) for name in ("mann", "mbob", "meve")]
    await social.toggle_block(bob.id, ann.id)
    await join("mgone")
    await join("mbad")
    await pool.execute("UPDATE users SET deleted_at = now() WHERE username = 'mgone'")
    await pool.execute("UPDATE users SET banned_at = now() WHERE username = 'mbad'")

    async def found(me: int) -> set[str]:
        return {
            name
            for words in ("ma", "mb", "me", "mg")
            for name in await _names(profiles, words, me=me)
        }

    assert await found(0) == {"mann", "mbob", "meve"}
    assert await found(ann.id) == {"mann", "meve"}
    assert await found(bob.id) == {"mbob", "meve"}
    assert await found(eve.id) == {"mann", "mbob", "meve"}


async def test_pages_end(profiles: Profiles, owner: Pool) -> None:
    await _crowd(owner, 3 * MOST_FOUND)

    pages = [await _names(profiles, "user", page) for page in range(30)]

    found = [name for page in pages for name in page]
    assert len(found) == len(set(found)) == MOST_FOUND
    assert await _names(profiles, "user", 100_000) == []


async def test_among_very_many_an_index_finds_them(
    profiles: Profiles, owner: Pool, pool: Pool
) -> None:
    await _crowd(owner, MANY)
    await owner.execute("ANALYZE users")

    # Everybody's username begins so; a prepared query is planned without its words.
    for words in ("us", "user_777", "zz"):
        plan = await _plan(pool, words)
        assert "Seq Scan on users" not in plan, plan
        for index in ("users_username_prefix", "users_name_prefix"):
            assert index in plan, plan
        read = max(int(n) for n in re.findall(r"actual time=\S+ rows=(\d+)", plan))
        assert read <= 2 * MOST_FOUND, plan
    assert await _names(profiles, "user_99999") == ["user_99999"]


async def _plan(pool: Pool, words: str) -> str:
    async with pool.acquire() as connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        rows = await connection.fetch(
            f"EXPLAIN ANALYZE {SEARCH}", 0, words, words + LAST, MOST_FOUND, 10, 0
        )
        await connection.execute("RESET plan_cache_mode")
    return "\n".join(row["QUERY PLAN"] for row in rows)


async def _crowd(owner: Pool, size: int) -> None:
    """Without the locks of their names, for which Postgres has no room at once."""
    await owner.execute("ALTER TABLE users DISABLE TRIGGER username_insert")
    for start in range(0, size, BATCH):
        await owner.execute(
            "INSERT INTO users (username, first_name, last_name)"
            " SELECT 'user_' || i, 'First' || i, 'Last'"
            " FROM generate_series($1::integer, $2::integer) AS i",
            start,
            min(start + BATCH, size) - 1,
        )
