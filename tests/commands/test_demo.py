"""The demo broadcaster, where it cannot begin."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.commands import command
from tests.support.ports import free_ports


async def _fails(url: str) -> str:
    """Its one sentence."""
    said = await command({}, "demo", "--url", url)
    assert said.exit_code == 1
    assert len(said.output.splitlines()) == 1
    return said.output


@pytest.mark.parametrize(
    ("text", "kind"),
    [("<html>", "text/html"), ("<html>", "application/json")]
    + [(text, "application/json") for text in ("[]", "{}", "null")],
)
async def test_another_program_is_told_from_none(text: str, kind: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type=kind)

    app = web.Application()
    app.router.add_post("/{any:.*}", answer)
    async with TestServer(app) as server:
        said = await _fails(str(server.make_url("/")))
    assert "does not answer as a control plane: it answered 200" in said


async def test_nobody_answers() -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    said = await _fails(url)
    assert f"{url} does not answer as a control plane: Cannot connect" in said


async def test_what_is_no_address_is_said() -> None:
    said = await _fails("127.0.0.1:8080")
    assert "it is no address that begins with http:// or https://" in said
