"""A Postgres and a Valkey that the whole run shares; a database of its own, and an
empty numbered one in Valkey, for each test that asks."""

import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import redis.asyncio as redis
from hypothesis import HealthCheck, settings

from control_plane.live.service import cutting
from deploy.local.place import Urls
from tests.support import media
from tests.support import servers as all_servers
from tests.support.servers import (
    Numbered,
    Servers,
    numbered,
    on_server,
    with_database,
)

MOST_WORKERS = 8
#: Their tests wait for programs that they start. The longest come first.
LONG = ("live", "deploy", "pages", "ops", "contract", "simulator", "roles", "sandbox")
#: Of the run, so that short ones end it.
LONG_ENDS = 0.85
TESTS = Path(__file__).parent
#: Made requests of each kind to each route.
FEW = 2
_servers = Servers()

# A shell has what it runs in the background ignore Ctrl-C, and all that this starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Of made values; how long one takes says more about what else the machine does.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "made requests of each kind to each route of /v1 (tests/ops)"
    parser.addoption("--examples", type=int, default=FEW, help=text)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Most tests wait for other programs, so several for each core."""
    return min(3 * (os.cpu_count() or 1), MOST_WORKERS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of both kinds take turns, so that cores have work while tests wait."""
    long, short = _files(items)
    when = {path: at / len(long) * LONG_ENDS for at, path in enumerate(long)}
    when |= {path: at / len(short) for at, path in enumerate(short)}
    items.sort(key=lambda item: when[item.path])


def _files(items: Iterable[pytest.Item]) -> tuple[list[Path], list[Path]]:
    """Those of the folders of LONG, in its order, and the others."""
    places: dict[Path, int] = {}
    for item in items:
        folder = item.path.parent.relative_to(TESTS).as_posix()
        places[item.path] = LONG.index(folder) if folder in LONG else len(LONG)
    ordered = sorted(places, key=places.__getitem__)
    begin = sum(place < len(LONG) for place in places.values())
    return ordered[:begin], ordered[begin:]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """What a worker of pytest-xdist is given."""
    node.workerinput["servers"] = dict(_servers.urls())


def pytest_unconfigure() -> None:
    _servers.stop()


@pytest.fixture
def server_folder() -> Iterator[Path]:
    with all_servers.server_folder() as folder:
        yield folder


@pytest.fixture(scope="session", autouse=True)
def _media(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One folder for all workers."""
    folder = tmp_path_factory.getbasetemp()
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    media.FOLDER = folder.parent if is_worker else folder


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Mapping[str, str]:
    given: Mapping[str, Any] = getattr(pytestconfig, "workerinput", {})
    return given["servers"] if given else _servers.urls()


@pytest.fixture(scope="session")
def numbered_urls(servers: Mapping[str, str], pytestconfig: pytest.Config) -> Numbered:
    given: Mapping[str, Any] = getattr(pytestconfig, "workerinput", {})
    worker = int(given["workerid"].removeprefix("gw")) if given else 0
    workers = int(given["workercount"]) if given else 1
    return numbered(servers["valkey"], worker, workers)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lasting_database_url(servers: Mapping[str, str]) -> AsyncIterator[str]:
    """A migrated database of this worker, for servers that tests share."""
    async for urls in _database(servers, servers["template"]):
        yield urls.service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_database_url(servers: Mapping[str, str]) -> AsyncIterator[str]:
    """As ``lasting_database_url``, of the tests of one file alone."""
    async for urls in _database(servers, servers["template"]):
        yield urls.service


@pytest_asyncio.fixture
async def empty_database(servers: Mapping[str, str]) -> AsyncIterator[Urls]:
    """A database of this test alone, without tables."""
    async for urls in _database(servers, "template0"):
        yield urls


@pytest.fixture
def empty_database_url(empty_database: Urls) -> str:
    """As its owner."""
    return empty_database.owner


@pytest_asyncio.fixture
async def database(servers: Mapping[str, str]) -> AsyncIterator[Urls]:
    """A database of this test alone, with all migrations applied."""
    async for urls in _database(servers, servers["template"]):
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
async def redis_url(numbered_urls: Numbered) -> AsyncIterator[str]:
    """An empty numbered database. (Publish and subscribe know no such borders.)"""
    with numbered_urls.lent() as url:
        client = redis.from_url(url)
        try:
            if "REDIS_URL" in os.environ and await client.dbsize():
                pytest.fail("REDIS_URL holds data; the tests would delete it.")
            yield url
            await client.flushdb()
        finally:
            await client.aclose()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands cut in this process, with some twenty questions to the node: on a
    machine that does other work they may take longer than anybody waits otherwise."""
    monkeypatch.setattr(cutting, "WITHIN", 60.0)


async def _database(servers: Mapping[str, str], template: str) -> AsyncIterator[Urls]:
    server = Urls(servers["service"], servers["owner"])
    name = f"test_{secrets.token_hex(6)}"
    create = f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"
    await on_server(server.owner, create)
    yield Urls(*(with_database(url, name) for url in server))
    await on_server(server.owner, f"DROP DATABASE {name} WITH (FORCE)")
