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
from deploy.local import postgres
from deploy.local.place import Urls
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
async def postgres_urls(session_folder: Path) -> AsyncIterator[Urls]:
    """DATABASE_URL, whose role must be allowed to create databases, or our own."""
    if given := os.environ.get("DATABASE_URL"):
        yield Urls(given, given)
        return
    data = session_folder / "postgres"
    async with postgres.server(data, durable=False) as (urls, _):
        yield urls


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def valkey_url(session_folder: Path) -> AsyncIterator[str]:
    """REDIS_URL or our own."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    async with valkey(session_folder / "valkey", durable=False) as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(postgres_urls: Urls) -> AsyncIterator[str]:
    """The name of a database with all migrations applied, to be cloned."""
    name = f"template_{secrets.token_hex(6)}"
    await _on_server(postgres_urls.owner, f"CREATE DATABASE {name}")
    service, owner = (with_database(url, name) for url in postgres_urls)
    await migrate(owner, service)
    yield name
    await _on_server(postgres_urls.owner, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def empty_database(postgres_urls: Urls) -> AsyncIterator[Urls]:
    """A database of this test alone, without tables."""
    async for urls in _database(postgres_urls, "template0"):
        yield urls


@pytest.fixture
def empty_database_url(empty_database: Urls) -> str:
    """As its owner."""
    return empty_database.owner


@pytest_asyncio.fixture
async def database(postgres_urls: Urls, template: str) -> AsyncIterator[Urls]:
    """A database of this test alone, with all migrations applied."""
    async for urls in _database(postgres_urls, template):
        yield urls


@pytest.fixture
def database_url(database: Urls) -> str:
    """As the service, which owns none of its tables."""
    return database.service


@pytest.fixture
def owner_url(database: Urls) -> str:
    """For what only the owner of the tables may do."""
    return database.owner


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


async def _database(server: Urls, template: str) -> AsyncIterator[Urls]:
    name = f"test_{secrets.token_hex(6)}"
    await _on_server(server.owner, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield Urls(*(with_database(url, name) for url in server))
    await _on_server(server.owner, f"DROP DATABASE {name} WITH (FORCE)")


async def _on_server(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
