"""The service, which delivers, and an operator who asks it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from control_plane.base.database import Pool, open_pool
from control_plane.config.settings import Settings
from control_plane.operators.service import Tokens
from control_plane.webhooks.model import retries
from control_plane.webhooks.service import delivery
from tests.support.api import APART_FROM_NODES, App, running, settings
from tests.support.receiver import Receiver, receiver

Json = dict[str, Any]


class Operator:
    def __init__(self, app: App, token: str) -> None:
        self._app = app
        self._headers = {"Authorization": f"Bearer {token}"}

    async def ask(
        self, method: str, path: str, body: object = None, expected: int = 200
    ) -> Json:
        url = f"{self._app.operators}/v1/webhooks{path}"
        async with self._app.http.request(
            method, url, json=body, headers=self._headers
        ) as response:
            assert response.status == expected, await response.text()
            return {} if response.status == 204 else await response.json()

    async def add(self, url: str, **more: object) -> Json:
        return await self.ask("POST", "", {"url": url, **more}, 201)

    async def get(self, endpoint: Json) -> Json:
        return await self.ask("GET", f"/{endpoint['id']}")

    async def log(self, endpoint: Json) -> list[Json]:
        found = await self.ask("GET", f"/{endpoint['id']}/deliveries")
        lines: list[Json] = found["deliveries"]
        return lines


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url) as opened:
        yield opened


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds to days otherwise."""
    monkeypatch.setattr(delivery, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(retries, "DELAYS", (0.05,))
    monkeypatch.setattr(retries, "PAUSES", (0.05,))


@pytest.fixture
def wanted(database_url: str, redis_url: str) -> Settings:
    return settings(database_url, redis_url, node_name="", webhook_networks="127.0.0.1")


@pytest.fixture
async def app(wanted: Settings, quick: None) -> AsyncIterator[App]:
    async with running(wanted, APART_FROM_NODES) as opened:
        yield opened


async def new_operator(app: App, pool: Pool) -> Operator:
    token = await Tokens(pool).create("test", ["admin"], timedelta(days=1))
    return Operator(app, token)


@pytest.fixture
async def operator(app: App, pool: Pool) -> Operator:
    return await new_operator(app, pool)


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        yield found
