"""The API of a node that has the configuration we print for it."""

import json
from collections.abc import Mapping

import pytest

from tests.support.stack import Stack

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("unhurried"),
]

PAGE = {"Origin": "https://evil.example", "Content-Type": "text/plain"}


async def _refused(stack: Stack, method: str, what: str, body: str = "") -> bool:
    url = f"http://127.0.0.1:{stack.ports['API']}/v3/{what}"
    async with stack.http.request(method, url, data=body, headers=PAGE) as response:
        return response.status == 401 and _is_closed(response.headers)


def _is_closed(headers: Mapping[str, str]) -> bool:
    return "Access-Control-Allow-Origin" not in headers


async def test_it_serves_us_alone(stack: Stack) -> None:
    mark = stack.folder / "it-ran"
    command = json.dumps({"runOnInit": f"touch {mark}"})
    assert await _refused(stack, "POST", "config/paths/add/x", command)
    assert await _refused(stack, "GET", "config/global/get")
    live = await stack.go_live(await stack.sign_in("ann"))
    encoder = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    await stack.command("kick", live["id"])
    assert await encoder.ended() != 0
    assert not mark.exists()
