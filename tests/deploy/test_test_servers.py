"""What the fixtures of tests/conftest.py promise."""

import asyncpg
import pytest
import redis.asyncio as redis


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_a_migrated_database_of_its_own(
    owner_url: str, turn: int
) -> None:
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute("CREATE TABLE left_behind ()")
        applied = await connection.fetchval("SELECT count(*) FROM schema_migrations")
        assert applied > 0
    finally:
        await connection.close()


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_an_empty_valkey_database(
    redis_url: str, turn: int
) -> None:
    client = redis.from_url(redis_url)
    try:
        assert await client.dbsize() == 0
        await client.set("left", "behind")
    finally:
        await client.aclose()


async def test_the_role_of_the_tests_is_no_superuser(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    try:
        assert await connection.fetchval("SHOW is_superuser") == "off"
    finally:
        await connection.close()
