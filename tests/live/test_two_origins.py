"""A broadcast that loses its origin goes on at another one, as the same session."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import StreamReader

from tests.support.stack import Json, Stack, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

Ports = Mapping[str, int]


@contextlib.asynccontextmanager
async def _followed(stack: Stack, live: Json) -> AsyncIterator[StreamReader]:
    """What its page is told."""
    url = f"{stack.base}/watch/{live['id']}/events"
    async with stack.http.get(url) as response:
        assert response.status == 200
        yield response.content


async def _told(page: StreamReader, text: str) -> None:
    async with asyncio.timeout(60):
        while text.encode() not in await page.readline():
            pass


async def _playback(stack: Stack, live: Json) -> str:
    msg = await stack.ask("watch", {"id": live["id"]})
    return str(msg["Watch"]["playback_url"])


async def _plays(stack: Stack, url: str) -> None:
    async def look() -> bool:
        async with stack.http.get(url) as response:
            return response.status == 200

    await until(look)


async def _goes_on(
    stack: Stack, token: str, live: Json, ports: Ports, page: StreamReader
) -> Json:
    """At the node with these ports, when its host asks where."""
    again = await stack.go_live(token)
    assert again["id"] == live["id"]
    assert f"127.0.0.1:{ports['RTMP']}/" in again["rtmp_url"]
    await stack.publish(again["rtmp_url"])
    await stack.status(live["id"], "live")
    await _told(page, f'"node":"{_name(stack, ports)}"')
    url = await _playback(stack, live)
    assert f"127.0.0.1:{ports['HLS']}/" in url
    await _plays(stack, url)
    return again


def _name(stack: Stack, ports: Ports) -> str:
    return "local" if ports is stack.ports else "other"


async def _begin(stack: Stack) -> tuple[str, Json]:
    token = await stack.sign_in("ann")
    live = await stack.go_live(token)
    assert f"127.0.0.1:{stack.ports['RTMP']}/" in live["rtmp_url"]
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    return token, live


async def test_a_killed_one_then_a_drained_one(own_stack: Stack) -> None:
    await own_stack.start()
    other = await own_stack.add_node("other")
    token, live = await _begin(own_stack)
    async with _followed(own_stack, live) as page:
        assert own_stack.node is not None
        await own_stack.node.kill()
        await own_stack.status(live["id"], "reconnecting")
        again = await _goes_on(own_stack, token, live, other, page)

        await own_stack.start_node()
        await until(lambda: _is_well(own_stack))
        await own_stack.command("nodes", "drain", "other", "--now")
        await own_stack.status(live["id"], "reconnecting")
        kept_out = await own_stack.publish(again["rtmp_url"])
        assert await kept_out.ended() != 0
        await _goes_on(own_stack, token, live, own_stack.ports, page)
    assert await own_stack.events(live["id"]) == [
        "live.created",
        "live.started",
        *["live.reconnecting", "live.moved", "live.resumed"] * 2,
    ]


async def _is_well(stack: Stack) -> bool:
    said = await stack.command("nodes", "list", "--json")
    return '"silent_since": null' in said.partition('"name": "other"')[0]
