"""What docs/deploy.md has operators write into the database is what apps are shown."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from control_plane.coins.store import purchases
from control_plane.wiring.services import Services
from tests.support.api import Account, App

PAGE = (Path(__file__).parents[2] / "docs/deploy.md").read_text("utf-8")
GIFTS, PACKAGES, VIDEOS = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.M | re.S)


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def ann(app: App) -> Account:
    return await app.sign_in("ann")


async def test_gifts_are_shown(app: App, owner: asyncpg.Connection) -> None:
    await owner.execute(GIFTS)
    shown = await app.ask("showGifts")
    gifts = {one["Gift"]["title"]: one["Gift"] for one in shown}
    assert list(gifts) == ["Rose", "Heart", "Diamond", "Fireworks"]
    assert gifts["Fireworks"]["coin"] == 2000
    assert gifts["Fireworks"]["image"].endswith("/media/fireworks.png")


async def test_packages_are_shown_and_their_products_bring_coins(
    ann: Account, owner: asyncpg.Connection, opened: Services
) -> None:
    await owner.execute(PACKAGES)
    shown = (await ann.ask("showCoinWorth"))["CoinPackages"]
    coins = [one["coins"] for one in shown]
    assert coins == [500, 2000, 5000, 10_000, 20_000]
    product = "com.lomilive.app.BUY20000coins"
    package = await purchases.package_of_product(opened.pool, product)
    assert package is not None
    assert (package.coins, package.price_minor) == (20000, 18000)


async def test_videos_are_shown_and_counted(
    app: App, ann: Account, owner: asyncpg.Connection
) -> None:
    for _ in range(2):  # the second time it is there already
        await owner.execute(VIDEOS)
    [shown] = await app.ask("showRelatedVideos", {})
    assert shown["Video"]["description"] == "Our first #video"
    assert shown["Video"]["video"].endswith("/media/first.mp4")
    assert (await ann.ask("showUserDetail"))["User"]["video_count"] == 1


async def test_the_page_names_the_products_that_there_are(
    owner: asyncpg.Connection,
) -> None:
    products = await owner.fetch("SELECT product_id FROM coin_products")
    assert products
    named = set(re.findall(r"`(buy\d+coins)`", PAGE))
    assert named == {row["product_id"] for row in products}
