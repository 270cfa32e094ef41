"""What goes wrong at a server elsewhere, in one sentence; and who learns the token."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from control_plane.commands import remote
from tests.commands.conftest import Town, elsewhere
from tests.support.api import APART_FROM_NODES, running, settings
from tests.support.commands import command
from tests.support.operators import token
from tests.support.ports import free_ports

pytestmark = pytest.mark.asyncio(loop_scope="session")

Says = Callable[..., Awaitable[str]]
Heard = list[web.Request]

OURS = {"Control-Plane": "9.9.9"}
#: By a program that is no control plane, about what is in the path.
SAID = {
    "ledger": "[1]",
    "audit": "{}",
    "bans": '{"bans": 1}',
    "events": "",
    "tokens": "{}",
}


@pytest.fixture
def says(tmp_path: Path) -> Says:
    """The one sentence of a command that fails."""
    file = tmp_path / "token"

    async def run(server: str, words: str, given: bytes = b"cpo_secret") -> str:
        file.write_bytes(given)
        said = await command(elsewhere(server, file), *words.split())
        assert (said.exit_code, said.stdout) == (1, "")
        assert said.output.startswith("Error: ")
        assert "cpo_" not in said.output
        assert len(said.output.splitlines()) == 1
        return said.output.removeprefix("Error: ").strip()

    return run


async def test_a_wrong_token_and_a_wrong_scope(town: Town, says: Says) -> None:
    at = town.app.operators
    assert "token that is valid" in await says(at, "sessions list")
    reads = (await token(town.pool, "read")).encode()
    assert "the scope admin" in await says(at, "audit show", reads)
    assert "the scope moderate" in await says(at, "kick 1", reads)
    assert "There is no such user" in await says(at, "users show 99", reads)


async def test_without_a_limit_it_answers_as_well(
    town: Town, module_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """What was done is not told as if it were not."""
    wanted = settings(module_database_url, redis_url, operator_requests_per_minute=0)
    file = tmp_path / "token"
    file.write_text(await token(town.pool, "moderate"))
    async with running(wanted, APART_FROM_NODES) as app:
        ann = await app.sign_in("ann")
        env = elsewhere(app.operators, file)
        said = await command(env, "users", "sign-out", str(ann.id))
    assert (said.exit_code, said.stdout) == (0, "Signed out everywhere.\n"), said.output


async def test_what_holds_no_token(says: Says) -> None:
    for given in (b"", b"two words", b"\xff", b"a\r\nHost: b"):
        said = await says("http://127.0.0.1:1", "sessions list", given)
        assert "does not hold a token" in said or "cannot be read" in said


async def test_nobody_answers(says: Says) -> None:
    at = f"http://127.0.0.1:{free_ports(1)[0]}"
    for server in (at, "http://127.0.0.1:99999", "ftp://a", "http://[", "a b"):
        said = await says(server, "sessions list")
        assert said.startswith(f"{server} does not answer as a control plane: ")


async def test_a_server_needs_a_token() -> None:
    said = await command({}, "--server", "http://127.0.0.1:1", "sessions", "list")
    assert (said.exit_code, "--server needs --token-file" in said.output) == (2, True)


@pytest.mark.parametrize(
    "server",
    [
        "http://ann:hidden@127.0.0.1:1/",
        "http://ann:hid/den@127.0.0.1:1",
        "http://hidden@[",
        "ann:hidden@127.0.0.1",
    ],
)
async def test_a_password_in_the_address_is_refused_and_not_shown(
    tmp_path: Path, server: str
) -> None:
    said = await command(elsewhere(server, tmp_path / "token"), "sessions", "list")
    assert said.exit_code == 2
    assert "--server takes no user and no password" in said.output
    assert not {word for word in ("ann", "hid", "den", "@") if word in said.output}


async def test_what_is_no_address_says_so(says: Says) -> None:
    for server in ("127.0.0.1:8084", "/", "http://:8084", "ftp://a", "a b"):
        said = await says(server, "sessions list")
        assert said.endswith("it is no address that begins with http:// or https://")


@pytest_asyncio.fixture(loop_scope="session")
async def others() -> AsyncIterator[tuple[str, Heard]]:
    """Servers that are none of ours: one sends its callers to another."""
    heard: Heard = []
    here, there = (f"http://127.0.0.1:{port}" for port in free_ports(2))

    async def answer(request: web.Request) -> web.StreamResponse:
        heard.append(request)
        if "keys" in request.path and request.transport is not None:
            request.transport.close()
        if "nodes" in request.path:
            return web.Response(status=307, headers={"Location": f"{there}/"})
        if "users" in request.path:
            text = '{"detail": "\x1b[2J [red]no", "status": 409}'.replace(
                "\x1b", "\\u001b"
            )
            return web.Response(status=409, text=text)
        if "gone" in request.path:
            return web.Response(status=404, text="404: Not Found")
        if "payouts" in request.path:
            text = '{"payouts": [{"id": 1}], "next": null}'
            return web.Response(text=text, headers=OURS)
        said = (text for part, text in SAID.items() if part in request.path)
        return web.Response(text=next(said, "<html>"))

    async with contextlib.AsyncExitStack() as stack:
        for at in (here, there):
            app = web.Application()
            app.router.add_route("*", "/{any:.*}", answer)
            runner = web.AppRunner(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", int(at.rpartition(":")[2])).start()
        yield here, heard


async def test_the_token_is_told_to_nobody_else(
    others: tuple[str, Heard], says: Says
) -> None:
    at, heard = others
    assert "It answered 307" in await says(at, "nodes list")
    assert "It answered 307" in await says(at, "nodes drain eu-1")
    assert [one.url.authority for one in heard] == [at.removeprefix("http://")] * 2
    assert {one.headers["Authorization"] for one in heard} == {"Bearer cpo_secret"}


async def test_each_write_has_a_key_of_its_own(
    others: tuple[str, Heard], says: Says
) -> None:
    at, heard = others
    await says(at, "nodes drain a/b")
    await says(at, "nodes drain a/b")
    await says(at, "nodes list")
    assert {one.rel_url.raw_path for one in heard[:2]} == {"/v1/nodes/a%2Fb/drain"}
    keys = [one.headers.get("Idempotency-Key") for one in heard]
    assert len(set(keys)) == 3
    assert keys[2] is None


async def test_an_answer_that_is_lost_is_asked_for_again(
    others: tuple[str, Heard], says: Says
) -> None:
    at, heard = others
    await says(at, "keys rotate 1")
    keys = [one.headers["Idempotency-Key"] for one in heard]
    assert (len(keys), len(set(keys))) == (2, 1)


async def test_what_it_says_cannot_play_anything(
    others: tuple[str, Heard], says: Says
) -> None:
    at, _ = others
    assert await says(at, "users sign-out 1") == r"\u001b[2J [red]no"
    for words in ("sessions list", "ledger check"):
        assert "does not answer as a control plane" in await says(at, words)


@pytest.mark.parametrize(
    "words", ["audit verify", "bans", "ban 1", "events tail", "token revoke ann"]
)
async def test_who_is_no_control_plane_did_nothing(
    others: tuple[str, Heard], says: Says, words: str
) -> None:
    at, _ = others
    said = await says(at, words)
    assert said == f"{at} does not answer as a control plane: it answered 200"


async def test_a_page_that_is_not_there_is_no_answer(
    others: tuple[str, Heard], says: Says
) -> None:
    at, _ = others
    said = await says(f"{at}/gone", "sessions list")
    assert said.endswith("does not answer as a control plane: it answered 404")


async def test_a_server_of_another_version(
    others: tuple[str, Heard], says: Says
) -> None:
    at, _ = others
    said = await says(at, "payouts list")
    assert said == "The server does not say status: it is of another version."


async def test_what_reads_everything_may_take_long(
    says: Says, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "WITHIN", aiohttp.ClientTimeout(total=0.2))

    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.5)
        checked = {"faults": 1, "checks": [{"name": "a", "faults": 1}]}
        verified = {"broken": 7}
        said = checked if "ledger" in request.path else verified
        return web.json_response(said, headers=OURS)

    app = web.Application()
    app.router.add_get("/{any:.*}", slow)
    async with TestServer(app) as server:
        at, token = str(server.make_url("/")), tmp_path / "token"
        assert "it takes too long" in await says(at, "sessions list")
        assert "Entry 7" in await says(at, "audit verify")
        found = await command(elsewhere(at, token), "ledger", "check", "--json")
        assert json.loads(found.stdout)["faults"] == 1
