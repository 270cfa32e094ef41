"""A real Postgres and a real Valkey for the whole run; a database of its own, and an
empty numbered one in Valkey, for each test that asks."""

import itertools
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio
import redis.asyncio as redis

from control_plane.base.schema import migrate
from deploy.local.postgres import postgres
from deploy.local.valkey import DATABASES, valkey

_numbers = itertools.count()


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="control-plane-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """For servers' data: unlike `tmp_path`, Postgres can reach it when we are root."""
    yield from _open_folder()


@pytest.fixture(scope="session")
def session_folder() -> Iterator[Path]:
    yield from _open_folder()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_url(session_folder: Path) -> AsyncIterator[str]:
    """DATABASE_URL, whose role must be allowed to create databases, or our own."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    async with postgres(session_folder / "postgres", durable=False) as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def valkey_url(session_folder: Path) -> AsyncIterator[str]:
    """REDIS_URL or our own."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    async with valkey(session_folder / "valkey", durable=False) as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(postgres_url: str) -> AsyncIterator[str]:
    """The name of a database with all migrations applied, to be cloned."""
    name = f"template_{secrets.token_hex(6)}"
    await _on_server(postgres_url, f"CREATE DATABASE {name}")
    await migrate(with_database(postgres_url, name))
    yield name
    await _on_server(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def empty_database_url(postgres_url: str) -> AsyncIterator[str]:
    """A database of this test alone, without tables."""
    async for url in _database(postgres_url, "template0"):
        yield url


@pytest_asyncio.fixture
async def database_url(postgres_url: str, template: str) -> AsyncIterator[str]:
    """A database of this test alone, with all migrations applied."""
    async for url in _database(postgres_url, template):
        yield url


@pytest_asyncio.fixture
async def redis_url(valkey_url: str) -> AsyncIterator[str]:
    """An empty numbered database. (Publish and subscribe know no such borders.)"""
    url = valkey_url
    if "REDIS_URL" not in os.environ:
        url = with_database(valkey_url, str(next(_numbers) % DATABASES))
    client = redis.from_url(url)
    try:
        if "REDIS_URL" in os.environ and await client.dbsize():
            pytest.fail("REDIS_URL holds data; the tests would delete it.")
        yield url
        await client.flushdb()
    finally:
        await client.aclose()


async def _database(server_url: str, template: str) -> AsyncIterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    await _on_server(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield with_database(server_url, name)
    await _on_server(server_url, f"DROP DATABASE {name} WITH (FORCE)")


async def _on_server(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
