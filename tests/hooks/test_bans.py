"""Bans of accounts, devices and ranges of addresses: auth knows them by notice."""

import json
import os

import pytest

from control_plane.base.database import open_pool
from control_plane.live.service import moderation
from tests.hooks.conftest import Json, Service, publish, read
from tests.support.client import Account
from tests.support.commands import command
from tests.support.service import ALL
from tests.support.stack import until

AN_HOUR = "1"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moderation, "LOOK_EVERY", 0.3)


async def ban(*words: str) -> None:
    said = await command(os.environ, "ban", *words, "--reason", "spam")
    assert said.exit_code == 0, said.output


async def unban(*words: str) -> bool:
    said = await command(os.environ, "unban", *words, "--json")
    return bool(json.loads(said.stdout)["changed"])


async def bans(*words: str) -> list[Json]:
    found = await command(os.environ, "bans", *words, "--json")
    return list(json.loads(found.stdout))


async def told(service: Service, kind: str) -> list[Json]:
    said = await command(os.environ, "events", "export", "--type", kind)
    return [json.loads(line)["data"] for line in said.stdout.splitlines()]


async def _until(service: Service, payload: Json, status: int) -> None:
    """Once the notice is heard."""

    async def so() -> bool:
        return await service.auth(payload) == status

    await until(so)


async def _live(service: Service, **more: object) -> tuple[Account, Json]:
    ann = await service.app.sign_in("ann")
    live = (await ann.ask("liveStream", more))["LiveStreaming"]
    await service.publish(live)
    return ann, live


async def test_a_range_of_addresses(service: Service) -> None:
    _ann, live = await _live(service)
    comes = publish(live["path"], live["key"], id="source-2", ip="192.0.2.77")
    watches = read(live["path"], ip="192.0.2.78")
    assert await service.auth(watches) == 200
    await ban("--address", "192.0.2.0/24")
    await _until(service, watches, 401)
    assert await service.auth(comes) == 401
    assert await service.auth(read(live["path"])) == 200
    assert await unban("--address", "192.0.2.9/24")
    await _until(service, watches, 200)
    assert await service.auth(comes) == 200
    assert not await unban("--address", "192.0.2.0/24")


async def test_a_device(service: Service) -> None:
    ann, live = await _live(service, device_id="ann's phone")
    _bob = await service.app.sign_in("bob")
    body = {"id": live["id"], "device_id": "bob's phone"}
    token = (await service.ask("watch", body))["Watch"]["token"]
    with_token = read(live["path"], query=f"token={token}")
    assert await service.auth(with_token) == 200
    await ban("--device", "bob's phone")
    await ban("--device", "ann's phone")
    await _until(service, with_token, 401)
    await _until(service, publish(live["path"], live["key"], id="source-2"), 401)
    assert await service.auth(read(live["path"])) == 200
    assert (await service.call("watch", body))["code"] == 201
    for name in ("liveStream", "streamKeys"):
        refused = await ann.refused(name, {"device_id": "ann's phone"})
        assert "device" in refused["msg"]
    assert (await service.ask("watch", {"id": live["id"]}))["Watch"]


async def test_a_key_that_takes_anothers_place_is_its_devices(
    service: Service,
) -> None:
    ann = await service.app.sign_in("ann")
    body = {"device_id": "ann's phone"}
    key = (await ann.ask("streamKeys", body))["StreamKey"]
    await ban("--device", "ann's phone")
    new = (await ann.ask("rotateStreamKey", {"id": key["id"]}))["StreamKey"]
    await _until(service, publish("live/ann", key["key"]), 401)
    assert await service.auth(publish("live/ann", new["key"])) == 401


async def test_the_key_of_a_channel_is_its_devices(service: Service) -> None:
    ann = await service.app.sign_in("ann")
    body = {"device_id": "ann's phone"}
    key = (await ann.ask("streamKeys", body))["StreamKey"]
    comes = publish("live/ann", key["key"])
    assert await service.lets_in(comes)
    await ban("--device", "ann's phone")
    await _until(service, comes, 401)


async def test_an_account_watches_no_more(service: Service) -> None:
    _ann, live = await _live(service)
    bob = await service.app.sign_in("bob")
    token = (await bob.ask("watch", {"id": live["id"]}))["Watch"]["token"]
    watches = read(live["path"], query=f"token={token}")
    assert await service.auth(watches) == 200
    await ban(str(bob.id))
    await _until(service, watches, 401)
    assert (await bob.call("watch", {"id": live["id"]}))["code"] == 501


@pytest.mark.parametrize("roles", [ALL], ids=["all"])
async def test_it_ends_by_itself(service: Service, database_url: str) -> None:
    _ann, live = await _live(service)
    bob = await service.app.sign_in("bob")
    watches = read(live["path"], ip="192.0.2.78")
    await ban("--address", "192.0.2.78", "--hours", AN_HOUR)
    await ban(str(bob.id), "--hours", AN_HOUR)
    async with open_pool(database_url) as pool:
        await pool.execute("UPDATE bans SET ends_at = now()")

    async def over() -> bool:
        return not await bans()

    await until(over)
    await _until(service, watches, 200)

    async def may_sign_in() -> bool:
        body = {"social": "google", "social_id": "bob", "username": "bob"}
        return bool((await service.call("registerUser", body))["code"] == 200)

    await until(may_sign_in)
    assert len(await bans("--all")) == 2
    await until(lambda: told(service, "user.unbanned"))  # the later one
    assert await told(service, "ban.ended") == [{"actor": "service:deadline"}]
    assert await told(service, "user.unbanned") == [{"actor": "service:deadline"}]


async def test_it_says_who_and_why_and_how_long(service: Service) -> None:
    bob = await service.app.sign_in("bob")
    await ban(str(bob.id), "--hours", AN_HOUR)
    await ban("--address", "192.0.2.0/24")
    await ban("--address", "192.0.2.0/24")  # changes nothing
    network, account = await bans()
    assert (network["address"], network["ends_at"]) == ("192.0.2.0/24", None)
    assert (account["user_id"], account["reason"]) == (bob.id, "spam")
    assert account["by"].startswith("command:")
    await until(lambda: told(service, "ban.made"))
    [made] = await told(service, "ban.made")
    assert (made["network"], made["device"]) == ("192.0.2.0/24", "")
    [banned] = await told(service, "user.banned")
    assert banned["reason"] == "spam"
    assert banned["ends_at"] == account["ends_at"].replace("Z", "+00:00")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["4711"],
        ["1", "--device", "x"],
        ["--address", "0.0.0.0/0"],
        ["--address", "here"],
        ["--device", "x" * 129],
        ["--device", "x", "--reason", "x" * 1001],
    ],
)
async def test_what_cannot_be_meant(service: Service, words: list[str]) -> None:
    said = await command(os.environ, "ban", *words)
    assert said.exit_code == 1
    assert len(said.output.splitlines()) == 1
    assert not await bans("--all")


@pytest.mark.parametrize("hours", ["0", "-1", "nan"])
async def test_a_ban_lasts_some_time(service: Service, hours: str) -> None:
    said = await command(os.environ, "ban", "--device", "x", "--hours", hours)
    assert said.exit_code == 2
    assert "--hours" in said.output
    assert not await bans("--all")
