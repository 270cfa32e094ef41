"""A pool on a database of the test's own, and the two stores."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from control_plane.base import database
from control_plane.base.database import Pool
from control_plane.coins.app_stores.apple import AppleApp, AppleStore
from control_plane.coins.app_stores.google import GoogleApp, GoogleStore
from control_plane.roles.running import RoleName
from tests.support.api import API, App, running, settings
from tests.support.app_stores import (
    APP_ID,
    BUNDLE,
    PACKAGE,
    FakeApple,
    FakeGoogle,
    api_key,
    apple_chain,
    https,
    private_pem,
    tls_root,
    trusting,
)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with database.open_pool(database_url) as pool:
        yield pool


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[Pool]:
    """As the role that owns the tables."""
    async with database.open_pool(owner_url) as pool:
        yield pool


@pytest.fixture
async def apple(tmp_path: Path) -> AsyncIterator[FakeApple]:
    fake = FakeApple()
    async with https(tmp_path, fake.routes()) as fake.url:
        yield fake


@pytest.fixture
async def google(tmp_path: Path) -> AsyncIterator[FakeGoogle]:
    fake = FakeGoogle()
    async with https(tmp_path, fake.routes()) as fake.url:
        yield fake


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Trusts the fake stores."""
    connector = aiohttp.TCPConnector(ssl=trusting())
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


@pytest.fixture
def apple_app(apple: FakeApple) -> AppleApp:
    return AppleApp(
        bundle_id=BUNDLE,
        app_id=APP_ID,
        issuer_id="ISSUER",
        key_id="KEY",
        private_key=private_pem(api_key()),
        url=f"{apple.url}/production",
        sandbox_url=f"{apple.url}/sandbox",
        root_certificates=apple_chain().root.pem,
    )


@pytest.fixture
def apple_store(http: aiohttp.ClientSession, apple_app: AppleApp) -> AppleStore:
    return AppleStore(http, apple_app)


@pytest.fixture
def google_store(http: aiohttp.ClientSession, google: FakeGoogle) -> GoogleStore:
    return GoogleStore(http, GoogleApp(PACKAGE, google.account(), google.url))


@pytest.fixture
def roles() -> Sequence[RoleName]:
    """What runs, unless a test says otherwise."""
    return API


@pytest.fixture
async def app(
    database_url: str, redis_url: str, roles: Sequence[RoleName]
) -> AsyncIterator[App]:
    """The service in development mode, no store configured."""
    async with running(settings(database_url, redis_url), roles) as opened:
        yield opened


@pytest.fixture
async def app_with_stores(
    database_url: str,
    redis_url: str,
    apple: FakeApple,
    google: FakeGoogle,
    tmp_path: Path,
) -> AsyncIterator[App]:
    """The service as in production, but for sign-in."""
    tls, root = tmp_path / "tls.pem", tmp_path / "apple.pem"
    tls.write_text(tls_root().pem)
    root.write_text(apple_chain().root.pem)
    wanted = settings(
        database_url,
        redis_url,
        sandbox_purchases=False,
        store_ca_file=tls,
        app_store_bundle_id=BUNDLE,
        app_store_app_id=APP_ID,
        app_store_issuer_id="ISSUER",
        app_store_key_id="KEY",
        app_store_private_key=private_pem(api_key()),
        app_store_url=f"{apple.url}/production",
        app_store_sandbox_url=f"{apple.url}/sandbox",
        app_store_root_certificates=root,
        app_store_refunds_seconds=0.1,
        google_play_package=PACKAGE,
        google_play_account=google.account(),
        google_play_url=google.url,
        google_play_refunds_seconds=0.1,
        ledger_check_seconds=0.1,
    )
    async with running(wanted) as opened:
        yield opened
