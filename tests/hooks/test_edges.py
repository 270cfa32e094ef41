"""What caches and edges may ask, and what they are told."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import aiohttp
import asyncpg
import pytest

from control_plane.base.redis import open_redis
from control_plane.base.secrets import Secrets
from control_plane.live.model.edges import KNOWN_AFTER, pull_token
from control_plane.live.store.beats import Beats
from tests.hooks.conftest import SECRET, Json, Service, publish, read
from tests.support.commands import command
from tests.support.stack import until

PULL = pull_token(Secrets(SECRET).viewer_tokens(), "edge-1")


@pytest.fixture
async def live(service: Service) -> Json:
    ann = await service.app.sign_in("ann")
    live: Json = (await ann.ask("liveStream", {"policy": "token"}))["LiveStreaming"]
    await service.publish(live)
    return live


async def _add(name: str, role: str) -> None:
    said = await command(
        {},
        *("nodes", "add", name, "--role", role),
        *("--api", "http://127.0.0.1:9", "--host", "127.0.0.1"),
    )
    assert said.exit_code == 0, said.output


async def _token(service: Service, live: Json) -> str:
    return str((await service.ask("watch", {"id": live["id"]}))["Watch"]["token"])


async def _asks(service: Service, live: Json, token: str, secret: str = "") -> int:
    """As the nginx of our file does."""
    basic = aiohttp.encode_basic_auth(
        "cache-1", secret or Secrets(SECRET).node("cache-1")
    )
    body = {"action": "read", "protocol": "hls", "path": f"local/{live['path']}"}
    async with service.http.post(
        f"http://127.0.0.1:{service.ports.internal}/edge/cache-1/auth",
        json=body | {"ip": "203.0.113.9", "token": token},
        headers={"Authorization": basic},
    ) as response:
        return response.status


async def test_a_cache_asks_about_viewers(service: Service, live: Json) -> None:
    token = await _token(service, live)
    assert await _asks(service, live, token) == 401
    await _add("cache-1", "cache")

    async def allowed() -> bool:
        return await _asks(service, live, token) == 200

    await until(allowed)
    assert await _asks(service, live, "") == 401
    assert await _asks(service, live, PULL) == 401
    assert await _asks(service, live, token, secret="x") == 401
    assert await _asks(service, live, await _token(service, live)) == 200

    async def counted() -> bool:
        shown = await service.ask("showLiveStream", {"id": live["id"]})
        return bool(shown["LiveStreaming"]["viewers"] == 2)

    await until(counted)


async def test_a_drained_cache_is_told_who_goes(
    service: Service, live: Json, database_url: str
) -> None:
    await _add("cache-1", "cache")
    tokens = [await _token(service, live) for _ in range(3)]

    async def let_in() -> int:
        return sum([await _asks(service, live, one) == 200 for one in tokens])

    async def all_are_refused() -> bool:
        return await let_in() == 0

    await until(lambda: _all_in(let_in))
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE nodes SET draining = true WHERE role = 'cache'")
    assert await let_in() == 3
    await connection.execute("UPDATE nodes SET let_go = 1 WHERE role = 'cache'")
    await connection.close()
    await until(all_are_refused)


async def test_of_a_cache_that_nobody_asks_at_that_is_known_too(
    service: Service, redis_url: str
) -> None:
    await _add("cache-1", "cache")
    async with open_redis(redis_url) as redis:

        async def is_known() -> bool:
            later = time.time() + KNOWN_AFTER
            return await Beats(redis).staying("cache-1", later) == []

        await until(is_known)


async def _all_in(let_in: Callable[[], Awaitable[int]]) -> bool:
    return await let_in() == 3


async def test_a_drained_edge_lets_nobody_in(service: Service, live: Json) -> None:
    await _add("edge-1", "edge")
    edge = replace(service, node="edge-1")
    token = await _token(service, live)
    comes = read(f"local/{live['path']}", query=f"token={token}")
    assert await edge.lets_in(comes)
    await command({}, "nodes", "drain", "edge-1")

    async def kept_out() -> bool:
        return await edge.auth(comes) == 401

    await until(kept_out)


async def test_a_cache_is_no_node(service: Service, live: Json) -> None:
    await _add("cache-1", "cache")
    cache = replace(service, node="cache-1")
    assert await cache.auth(read(live["path"])) == 401
    assert await cache.hook("not_ready", live["path"], "source-1") == 401


async def test_an_edge_reads_and_can_do_nothing_else(
    service: Service, live: Json
) -> None:
    pull = read(live["path"], protocol="rtsp", query=f"token={PULL}")
    assert await service.auth(pull) == 401
    await _add("edge-1", "edge")

    async def allowed() -> bool:
        return await service.auth(pull) == 200

    await until(allowed)
    assert await service.auth(pull | {"action": "publish"}) == 401
    assert await service.auth(pull | {"protocol": "hls"}) == 401
    shown = await service.ask("showLiveStream", {"id": live["id"]})
    assert shown["LiveStreaming"]["viewers"] == 0
    edge = replace(service, node="edge-1")
    token = await _token(service, live)
    path = f"local/{live['path']}"
    assert await edge.auth(read(path, query=f"token={token}")) == 200
    assert await edge.auth(read(path)) == 401
    assert await edge.auth(publish(path, live["key"])) == 401
    assert await edge.auth(publish(live["path"], live["key"])) == 401
