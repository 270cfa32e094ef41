"""Too many requests, and what happens while nobody can count them."""

import contextlib
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from control_plane.base import limits
from control_plane.base.limits import RateLimits, Rules
from control_plane.base.redis import open_redis, pipelined
from control_plane.base.refusals import TooMany, Unavailable
from control_plane.config.settings import SettingsError, load
from control_plane.web.address import Addresses
from deploy.local.process import running as running_program
from tests.support.api import API, Json, running, settings
from tests.support.ports import free_ports
from tests.support.relay import moving
from tests.support.stack import until
from tests.support.valkeys import KEEPS_NOTHING, LOGIN, alone, server

RULES = Rules(sign_in=3, money=3, search=3, writes=3)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Redis counts later than that is let through."""
    monkeypatch.setattr(limits, "LONGEST_WAIT", 60.0)


async def test_too_many_sign_ins_from_one_address(
    database_url: str, redis_url: str
) -> None:
    wanted = settings(database_url, redis_url, sign_ins_per_minute=3)
    async with running(wanted, API) as app:
        ann = await app.sign_in("ann")
        for _ in range(2):
            await app.sign_in("ann")

        refused = await app.refused("registerUser", {"social": "google"})

        assert refused == {
            "code": 429,
            "msg": "Too many requests. Please try again in a moment.",
        }
        assert (await app.refused("checkEmail", {"email": "a@b"}))["code"] == 429
        assert await ann.ask("showUserDetail", {})  # not limited


async def test_each_user_has_a_limit_of_their_own(
    database_url: str, redis_url: str
) -> None:
    wanted = settings(database_url, redis_url, searches_per_minute=2)
    async with running(wanted, API) as app:
        ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
        body = {"type": "user", "keyword": "ann"}
        for _ in range(2):
            await ann.ask("search", body)

        assert (await ann.refused("search", body))["code"] == 429
        assert await bob.ask("search", body)


async def test_an_address_is_many_people(redis_url: str) -> None:
    async with open_redis(redis_url) as redis:
        limits = RateLimits(redis, RULES)
        for _ in range(30):
            await limits.check_address("search", "192.0.2.1")
        with pytest.raises(TooMany):
            await limits.check_address("search", "192.0.2.1")
        await limits.check_address("search", "192.0.2.2")


async def test_without_redis_money_is_closed_and_the_rest_is_open(
    server_folder: Path,
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with alone(server_folder / "valkey") as url:
            redis = await stack.enter_async_context(open_redis(url))
            limits = RateLimits(redis, RULES)
            await until(lambda: _is_open(limits))
        for _ in range(10):
            await limits.check_address("sign_in", "192.0.2.1")
            await limits.check_user("search", 1)
        with pytest.raises(Unavailable):
            await limits.check_user("money", 1)
        with pytest.raises(Unavailable):
            await limits.check_address("money", "192.0.2.1")


async def test_without_redis_what_is_paid_for_is_credited(
    database_url: str, server_folder: Path
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with alone(server_folder / "valkey") as url:
            wanted = settings(database_url, url, money_per_minute=300)
            app = await stack.enter_async_context(running(wanted, API))
            ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
        paid = {"coin": 100, "transaction_id": "t1"}
        assert (await ann.ask("purchaseCoin", paid))["User"]["wallet"] == 100
        gift = {"receiver_id": bob.id, "gift_id": 1, "gift_count": 1}
        assert (await ann.refused("sendGift", gift))["code"] == 201


async def test_a_clock_of_redis_that_steps_back_keeps_nobody_out(
    redis_url: str,
) -> None:
    async with open_redis(redis_url) as redis:
        limits = RateLimits(redis, RULES)
        for _ in range(RULES.money):
            await limits.check_user("money", 1)
        with pytest.raises(TooMany):
            await limits.check_user("money", 1)
        [counter] = await redis.keys("rates:*")
        began = float(str(await redis.hget(counter, "start")))
        await redis.hset(counter, "start", began + 3600)
        await limits.check_user("money", 1)


async def _is_open(limits: RateLimits) -> bool:
    """A first call has half a second to connect, which may be too little."""
    with contextlib.suppress(Unavailable):
        await limits.check_user("money", 1)
        return True
    return False


async def test_an_address_that_leads_to_another_primary(server_folder: Path) -> None:
    """While the old one takes no writes and keeps its connections."""
    ports = free_ports(2)
    async with contextlib.AsyncExitStack() as stack:
        for port in ports:
            one = server(server_folder, port, KEEPS_NOTHING)
            await stack.enter_async_context(running_program(one))
        address = await stack.enter_async_context(moving(ports[0]))
        url = f"redis://{LOGIN}127.0.0.1"
        redis = await stack.enter_async_context(open_redis(f"{url}:{address.port}"))
        old = await stack.enter_async_context(open_redis(f"{url}:{ports[0]}"))
        limits = RateLimits(redis, RULES)
        await until(lambda: _is_open(limits))

        await pipelined(old, [("REPLICAOF", "127.0.0.1", 1)])
        with pytest.raises(Unavailable):
            await limits.check_user("money", 1)
        address.to = ports[1]
        await until(lambda: _is_open(limits))


def _request(remote: str, forwarded: str = "") -> web.Request:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = make_mocked_request("POST", "/", headers=headers)
    return request.clone(remote=remote)


def test_a_proxys_word_counts_only_if_it_is_ours() -> None:
    ours = Addresses("10.0.0.0/8 fd00::/8")
    nobody = Addresses("")

    assert nobody.of(_request("192.0.2.1", "203.0.113.9")) == "192.0.2.1"
    assert ours.of(_request("192.0.2.1", "203.0.113.9")) == "192.0.2.1"
    assert ours.of(_request("10.1.2.3", "203.0.113.9")) == "203.0.113.9"
    forged = "198.51.100.7, 203.0.113.9, 10.9.9.9"
    assert ours.of(_request("10.1.2.3", forged)) == "203.0.113.9"
    assert ours.of(_request("10.1.2.3", "nonsense")) == "10.1.2.3"
    assert ours.of(_request("10.1.2.3")) == "10.1.2.3"
    assert nobody.of(_request("::ffff:192.0.2.1")) == "192.0.2.1"
    assert nobody.of(_request("2001:db8:1:2:3::4")) == "2001:db8:1:2::/64"


def test_a_wrong_network_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("CONTROL_PLANE_SECRET", "x" * 32)
    monkeypatch.setenv("CONTROL_PLANE_TRUSTED_PROXIES", "10.0.0.0/8 proxy")
    with pytest.raises(SettingsError, match="CONTROL_PLANE_TRUSTED_PROXIES is wrong"):
        load()


async def test_each_user_can_write_so_often(database_url: str, redis_url: str) -> None:
    wanted = settings(database_url, redis_url, writes_per_minute=2)
    async with running(wanted, API) as app:
        ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
        report = {"report_user_id": bob.id, "report_reason_id": 1}
        calls: list[tuple[str, Json]] = [
            ("watchVideo", {"video_id": 1}),
            ("reportUser", report),
            ("showRelatedVideos", {}),
            ("followUser", {"receiver_id": bob.id}),
        ]
        codes = [(await ann.call(name, body))["code"] for name, body in calls]

        assert codes == [200, 200, 429, 429]
        assert await bob.ask("watchVideo", {"video_id": 1}) == "success"


@pytest.mark.parametrize(
    "name", ["liveStream", "streamKeys", "setLivePolicy", "denyViewer", "watch"]
)
async def test_a_host_can_write_so_often(
    database_url: str, redis_url: str, name: str
) -> None:
    wanted = settings(database_url, redis_url, writes_per_minute=1)
    async with running(wanted, API) as app:
        ann = await app.sign_in("ann")
        codes = [(await ann.call(name, {"id": 1}))["code"] for _ in range(2)]

        assert codes[0] != 429
        assert codes[1] == 429


async def test_guests_behind_one_address_can_write_so_often(
    database_url: str, redis_url: str
) -> None:
    wanted = settings(database_url, redis_url, writes_per_minute=1)
    async with running(wanted, API) as app:
        for i in range(10):
            await app.ask("watchVideo", {"video_id": 1, "device_id": f"phone {i}"})

        refused = await app.refused("watchVideo", {"video_id": 1, "device_id": "new"})

        assert refused["code"] == 429
