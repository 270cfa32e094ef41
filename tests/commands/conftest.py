"""One service for a file's tests, and the two places to run a command at."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import Result

from control_plane.base.database import Pool, open_pool
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.service.gifts import Gifts
from control_plane.config.settings import Settings
from control_plane.operators.model import SCOPES
from control_plane.operators.service import Tokens
from tests.support.api import APART_FROM_NODES, running, settings
from tests.support.client import Account, App
from tests.support.commands import command
from tests.support.money import HEART, new_user
from tests.support.ports import free_ports
from tests.support.servers import Numbered

BESIDE, ELSEWHERE = "beside", "elsewhere"


@dataclass
class Town:
    """A service with something in it. ``places``: the environments of a command beside
    the database, and of one at a server elsewhere; ``people``: for each of them."""

    app: App
    pool: Pool
    people: Mapping[str, Account]
    places: Mapping[str, Mapping[str, str]]

    async def says(self, place: str, *words: str) -> Result:
        return await command(self.places[place], *words)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(
    module_database_url: str,
    numbered_urls: Numbered,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Town]:
    wanted = settings(
        module_database_url, numbered_urls.take(), webhook_networks="127.0.0.1"
    )
    async with (
        running(wanted, APART_FROM_NODES) as app,
        open_pool(module_database_url) as pool,
    ):
        token = await Tokens(pool).create("ann", SCOPES, timedelta(days=1))
        file = tmp_path_factory.mktemp("token") / "token"
        file.write_text(f"{token}\n")
        yield Town(
            app,
            pool,
            await _people(app, pool, token),
            {BESIDE: _beside(wanted), ELSEWHERE: elsewhere(app.operators, file)},
        )


def elsewhere(server: str, token_file: Path) -> dict[str, str]:
    """Without any of the settings."""
    return {
        "CONTROL_PLANE_SERVER": server,
        "CONTROL_PLANE_TOKEN_FILE": str(token_file),
    }


def _beside(wanted: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": wanted.database_url.get_secret_value(),
        "REDIS_URL": wanted.redis_url.get_secret_value(),
        "CONTROL_PLANE_SECRET": wanted.secret.get_secret_value(),
        "CONTROL_PLANE_ENV": "development",
        "CONTROL_PLANE_WEBHOOK_NETWORKS": "127.0.0.1",
    }


async def _people(app: App, pool: Pool, token: str) -> dict[str, Account]:
    """Of each place one, who broadcasts, bought coins, earned some and wants money;
    somebody with a title that might be read as markup, and a receiver that is away."""
    found = {}
    gifts = Gifts(pool, share_percent=0, created_sessions=False)
    for name in (BESIDE, ELSEWHERE):
        one = await app.sign_in(name)
        await one.ask("streamKeys", {"name": "OBS", "channel_name": name})
        await one.ask("liveStream", {"title": f"Hello from {name}"})
        await one.ask("purchaseCoin", {"coin": 100, "transaction_id": name})
        await gifts.send(GiftOrder(await new_user(pool, 1000), HEART, 20, one.id))
        await wants_money(one)
        found[name] = one
    zoe = await app.sign_in("zoe")
    await zoe.ask("liveStream", {"title": "[red]mine[/red] is [link=http://a]"})
    hooks = f"{app.operators}/v1/webhooks"
    headers = {"Authorization": f"Bearer {token}"}
    nobody = {"url": f"http://127.0.0.1:{free_ports(1)[0]}/"}
    async with app.http.post(hooks, json=nobody, headers=headers) as response:
        assert response.status == 201
    return found


async def wants_money(one: Account) -> None:
    asked = {"coin": 400, "email": f"{one.username}@example.com"}
    await one.ask("withdrawRequest", asked)
