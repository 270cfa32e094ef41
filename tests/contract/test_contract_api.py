"""Whoever may use a node's API can run commands as its server's user: we may, nobody
else, and no web page may read what it answers."""

import asyncio
import json

import aiohttp
import pytest

from mediamtx.client import Client
from tests.contract.node import Node
from tests.contract.plane import API_PASSWORD, API_USER, SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = {"Origin": "https://evil.example"}
WRONG = {"Authorization": aiohttp.encode_basic_auth(API_USER, "wrong")}


@pytest.mark.parametrize("given", [{}, WRONG], ids=["nothing", "wrong"])
async def test_who_has_no_rights_starts_no_command(
    node: Node, given: dict[str, str]
) -> None:
    """A browser sends text/plain to any address without asking first."""
    mark = node.folder / "it-ran"
    command = json.dumps({"runOnInit": f"touch {mark}"})
    headers = PAGE | {"Content-Type": "text/plain"} | given
    url = f"http://{node.config.api}/v3/config/paths/add/x"
    async with node.http.post(url, data=command, headers=headers) as response:
        assert response.status == 401
        assert "Access-Control-Allow-Origin" not in response.headers
    assert (await node.api("config/paths/get/x"))[0] == 404
    assert not mark.exists()


async def test_who_has_no_rights_reads_nothing(node: Node) -> None:
    for what in ("config/global/get", "info", "paths/list", "rtmpconns/list"):
        url = f"http://{node.config.api}/v3/{what}"
        async with node.http.get(url, headers=PAGE) as response:
            assert response.status == 401
            assert "Access-Control-Allow-Origin" not in response.headers
            assert SECRET not in await response.text()


async def test_no_page_reads_what_our_rights_would_show(node: Node) -> None:
    ours = {"Authorization": aiohttp.encode_basic_auth(API_USER, API_PASSWORD)}
    url = f"http://{node.config.api}/v3/paths/list"
    for method in ("GET", "OPTIONS"):
        asked = node.http.request(method, url, headers=PAGE | ours)
        async with asked as response:
            assert "Access-Control-Allow-Origin" not in response.headers


async def test_our_own_client_gets_in(node: Node) -> None:
    url = f"http://{node.config.api}"
    client = Client(node.http, url, API_USER, API_PASSWORD)
    view, info = await asyncio.gather(client.look(), client.info())
    assert (view.answer, view.reason) == ("answered", "")
    assert info.version == node.version
