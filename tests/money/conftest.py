"""A pool on a database of the test's own, and the two stores."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from control_plane.store import database
from control_plane.store.database import Pool
from control_plane.stores.apple import AppleApp, AppleStore
from control_plane.stores.google import GoogleApp, GoogleStore
from tests.support_stores import (
    APP_ID,
    BUNDLE,
    PACKAGE,
    FakeApple,
    FakeGoogle,
    api_key,
    apple_chain,
    https,
    private_pem,
    trusting,
)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with await database.open_pool(database_url) as pool:
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
