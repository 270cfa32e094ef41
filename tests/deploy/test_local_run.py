"""`make run`, once everything is installed: up, down, and what comes in between."""

import os
import re
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import psutil
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.client import App
from tests.support.local import DEADLINE, LocalRun, Run, eventually
from tests.support.media import fill_with_stand_ins
from tests.support.ports import free_ports
from tests.support.servers import server_folder

pytestmark = pytest.mark.timeout(3 * DEADLINE)

FAKE = Path(__file__).with_name("fake_mediamtx.py")
KEY = (sys.executable, "-m", "deploy.local", "key")
looks = pytest.mark.asyncio(loop_scope="session")


class Up(NamedTuple):
    """What runs, and where."""

    local: LocalRun
    run: Run


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalRun]:
    async with _local(tmp_path) as one:
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    """One that runs, for all who only look at it."""
    async with _local(tmp_path_factory.mktemp("up")) as one:
        yield Up(one, await one.up())


@asynccontextmanager
async def _local(folder: Path) -> AsyncIterator[LocalRun]:
    program, media = folder / "mediamtx", folder / "media"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
    program.chmod(0o755)
    fill_with_stand_ins(media)
    with server_folder() as data:
        local = LocalRun(data, program, media)
        yield local
        await local.stop()


async def sign_in(local: LocalRun) -> str:
    """The token of one and the same user."""
    async with aiohttp.ClientSession() as http:
        return (await App(http, local.base).sign_in("local")).token


async def knows(local: LocalRun, token: str) -> bool:
    async with aiohttp.ClientSession() as http:
        answer = await App(http, local.base).call("showStreamKeys", {}, token)
        return bool(answer["code"] == 200)


async def operates(local: LocalRun, said: str) -> int:
    """How the token that was printed is answered."""
    token = re.findall(r"token (cpo_\S+)", said)[-1]
    async with (
        aiohttp.ClientSession() as http,
        http.get(
            f"http://127.0.0.1:{local.ports['OPERATOR']}/v1/me",
            headers={"Authorization": f"Bearer {token}"},
        ) as response,
    ):
        return response.status


def child_named(run: Run, words: str) -> psutil.Process:
    children = psutil.Process(run.process.pid).children()
    return next(child for child in children if words in " ".join(child.cmdline()))


@looks
async def test_it_says_how_to_go_live(up: Up) -> None:
    said = up.run.log.read_text()
    order = ["Open  ", "control-plane demo", "OBS  ", "rtmp://127.0.0.1:", "Phone  "]
    places = [said.index(words) for words in order]
    assert places == sorted(places)
    assert f"{up.local.base}/" in said
    assert f"`CONTROL_PLANE_PUBLIC_PORT={up.local.ports['PUBLIC']} make key`" in said
    assert await operates(up.local, said) == 200


@looks
async def test_a_second_start_says_that_it_runs_already(up: Up) -> None:
    second = await up.local.start()
    assert await second.ended() == 1
    said = second.log.read_text()
    assert f"running already, as process {up.run.process.pid}" in said
    assert up.run.running


@looks
async def test_what_is_secret_is_closed_to_others(up: Up) -> None:
    for name in ("secret", "mediamtx.yml", "control-plane", "valkey/valkey.conf"):
        mode = (up.local.data / name).stat().st_mode
        assert stat.S_IMODE(mode) & 0o077 == 0, name
    secret = (up.local.data / "secret").read_text()
    for child in psutil.Process(up.run.process.pid).children(recursive=True):
        assert secret not in " ".join(child.cmdline())


@looks
async def test_the_command_line_of_the_run_knows_its_settings(
    up: Up, tmp_path: Path
) -> None:
    command = str(up.local.data / "control-plane")
    nodes = await Run.start(tmp_path / "nodes", command, "nodes", "list")
    assert await nodes.ended() == 0
    assert f"http://127.0.0.1:{up.local.ports['API']}" in nodes.log.read_text()


@looks
async def test_a_key_for_obs(up: Up, tmp_path: Path) -> None:
    made = await Run.start(tmp_path / "key", *KEY, env=up.local.env)
    assert await made.ended() == 0
    said = made.log.read_text()
    assert f"rtmp://127.0.0.1:{up.local.ports['RTMP']}/live" in said
    assert "obs?key=" in said


@looks
async def test_no_proxy_is_asked_for_a_key(up: Up, tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_ports(1)[0]}"
    env = up.local.env | {"http_proxy": nowhere, "no_proxy": "", "NO_PROXY": ""}
    made = await Run.start(tmp_path / "key", *KEY, env=env)
    assert await made.ended() == 0, made.log.read_text()


async def test_no_key_where_nothing_runs(local: LocalRun, tmp_path: Path) -> None:
    nobody = await Run.start(tmp_path / "nobody", *KEY, env=local.env)
    assert await nobody.ended() == 1
    said = nobody.log.read_text()
    assert "Is `make run` running? CONTROL_PLANE_PUBLIC_PORT names" in said


@pytest.mark.parametrize(
    ("status", "text", "why"),
    [(200, "<html>", ""), (200, "[]", ""), (404, "no", "HTTP Error 404: Not Found")],
)
async def test_no_key_where_another_program_answers(
    local: LocalRun, tmp_path: Path, status: int, text: str, why: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    app = web.Application()
    app.router.add_post("/{any:.*}", answer)
    async with TestServer(app, port=local.ports["PUBLIC"]):
        other = await Run.start(tmp_path / "other", *KEY, env=local.env)
        assert await other.ended() == 1
    said = other.log.read_text()
    assert f"{local.base} does not answer as a control plane: {why}" in said
    assert len(said.splitlines()) == 1


async def test_users_and_their_tokens_outlive_a_stop_and_a_kill(
    local: LocalRun,
) -> None:
    run = await local.up()
    token = await sign_in(local)
    command = local.data / "control-plane"
    assert command.exists()
    await run.stop(signal.SIGTERM)
    assert run.process.returncode == 0
    assert local.left() == []
    assert not command.exists()
    again = await local.up()
    assert await knows(local, token)
    await again.stop(signal.SIGKILL)
    if sys.platform == "linux":  # which alone ends the children of a killed process
        await eventually(lambda: local.left() == [])
    last = await local.up()
    assert await knows(local, token)
    await last.stop()
    assert local.left() == []


async def test_the_demo_videos_come_while_it_runs(local: LocalRun) -> None:
    del local.env["CONTROL_PLANE_MEDIA_FOLDER"]
    run = await local.up()
    await local.said(run, "The demo videos are there")
    assert len(list((local.data / "media").glob("demo-*.mp4"))) == 5
    await run.stop()
    assert local.left() == []


async def test_without_demo_videos_the_rest_works(local: LocalRun) -> None:
    del local.env["CONTROL_PLANE_MEDIA_FOLDER"]
    run = await local.up(FFMPEG_BIN="/bin/false")
    await local.said(run, "Demo videos are missing")
    assert await knows(local, await sign_in(local))


async def test_it_can_be_stopped_while_the_demo_videos_are_made(
    local: LocalRun,
) -> None:
    del local.env["CONTROL_PLANE_MEDIA_FOLDER"]
    run = await local.up()
    await eventually(lambda: any((local.data / "media").glob("part-*")))
    local.remember(run)
    await run.stop()
    assert run.process.returncode == 0
    assert local.left() == []


async def test_the_node_stops_before_the_service_and_the_service_before_postgres(
    local: LocalRun,
) -> None:
    run = await local.up()
    postgres = child_named(run, "bin/postgres")
    service = child_named(run, "control_plane serve")
    node = child_named(run, "fake_mediamtx")
    node.suspend()  # so that it cannot follow the request to stop
    run.process.send_signal(signal.SIGINT)
    await local.said(run, "Stopping")
    assert service.is_running()
    assert postgres.is_running()
    node.resume()
    assert await run.ended() == 0
    assert run.log.read_text().rstrip().endswith("Stopped.")
    assert local.left() == []


async def test_it_stops_when_its_terminal_closes(local: LocalRun) -> None:
    ours, terminal = os.openpty()
    run = await local.start_in(terminal)
    os.close(terminal)
    await eventually((local.data / "node.pid").exists)
    local.remember(run)
    os.close(ours)
    assert await run.ended() == 0
    assert local.left() == []


@pytest.mark.parametrize("moment", ["Postgres is up", "serving"])
async def test_it_can_be_stopped_while_it_starts(local: LocalRun, moment: str) -> None:
    run = await local.start()
    await local.said(run, moment)
    await run.stop()
    assert run.process.returncode == 0
    assert local.left() == []


async def test_initdb_can_be_cut_short(local: LocalRun) -> None:
    run = await local.start()
    await eventually((local.data / "postgres" / "cluster.new").exists)
    local.remember(run)
    await run.stop()
    assert run.process.returncode == 0
    assert local.left() == []
    await local.up()


async def test_a_taken_port_is_named_with_its_setting(local: LocalRun) -> None:
    with socket.socket() as taken, socket.socket(type=socket.SOCK_DGRAM) as media:
        taken.bind(("127.0.0.1", local.ports["PUBLIC"]))
        taken.listen()
        media.bind(("127.0.0.1", local.ports["SRT"]))
        run = await local.start()
        assert await run.ended() == 1
    said = run.log.read_text()
    assert (
        f"Port {local.ports['PUBLIC']} (pages and API) is in use; "
        "CONTROL_PLANE_PUBLIC_PORT moves it." in said
    )
    assert f"UDP port {local.ports['SRT']} (SRT) is in use" in said
    assert not local.data.joinpath("postgres").exists()


async def test_a_port_that_is_none_is_refused(local: LocalRun) -> None:
    run = await local.start(CONTROL_PLANE_HLS_PORT="many")
    assert await run.ended() == 1
    assert "CONTROL_PLANE_HLS_PORT=many is no port" in run.log.read_text()


async def test_a_server_that_dies_is_named_and_stops_everything(
    local: LocalRun,
) -> None:
    run = await local.up()
    local.remember(run)
    child_named(run, "fake_mediamtx").kill()
    assert await run.ended() == 1
    said = run.log.read_text()
    assert "MediaMTX v1.20.1 was ended by SIGKILL." in said
    assert "INF MediaMTX v1.20.1" in said
    assert local.left() == []


async def test_a_node_that_does_not_start_is_explained_by_its_log(
    local: LocalRun,
) -> None:
    run = await local.start(CONTROL_PLANE_RTMP_PORT="1")
    if os.geteuid() != 0:
        assert await run.ended() == 1
        assert "Port 1 (RTMP) cannot be used" in run.log.read_text()
        return
    assert await run.ended() == 1
    said = run.log.read_text()
    assert "MediaMTX v1.20.1 stopped by itself (exit code 1)" in said
    assert "ERR listen tcp :1: bind: permission denied" in said
    assert local.left() == []


async def test_a_mediamtx_that_was_named_and_is_none_is_an_error(
    local: LocalRun,
) -> None:
    run = await local.start(MEDIAMTX_BIN="/nowhere/mediamtx")
    assert await run.ended() == 1
    assert "/nowhere/mediamtx" in run.log.read_text()


async def test_a_mediamtx_that_is_too_old_is_named(
    local: LocalRun, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho v1.2.1\n")
    old.chmod(0o755)
    run = await local.start(MEDIAMTX_BIN=str(old))
    assert await run.ended() == 1
    said = run.log.read_text()
    assert "\nMediaMTX v1.2.1 is not supported: v1.3.0 to v1.x are.\n" in said
    assert "Traceback" not in said


async def test_where_no_mediamtx_can_be_had_the_sandbox_node_takes_its_place(
    local: LocalRun,
) -> None:
    del local.env["MEDIAMTX_BIN"]
    nowhere = f"http://127.0.0.1:{free_ports(1)[0]}"
    run = await local.up(PATH="/usr/bin:/bin", HTTPS_PROXY=nowhere, NO_PROXY="")
    said = run.log.read_text()
    assert "could not be fetched" in said
    assert "The sandbox node takes its place; it is not for production." in said
    assert "The sandbox node is up" in said
    await run.stop()
    assert run.process.returncode == 0
    assert local.left() == []


@pytest.mark.skipif(not os.environ.get("MEDIAMTX_BIN"), reason="no MEDIAMTX_BIN")
async def test_a_real_mediamtx_is_the_node_where_there_is_one(local: LocalRun) -> None:
    run = await local.up(MEDIAMTX_BIN=os.environ["MEDIAMTX_BIN"])
    assert "MediaMTX v1." in run.log.read_text()
    await run.stop()
    assert run.process.returncode == 0
    assert local.left() == []


async def test_given_stores_are_used_instead_of_our_own(
    local: LocalRun, empty_database_url: str, redis_url: str
) -> None:
    run = await local.up(DATABASE_URL=empty_database_url, REDIS_URL=redis_url)
    assert await knows(local, await sign_in(local))
    assert not local.data.joinpath("postgres").exists()
    assert not local.data.joinpath("valkey").exists()
    await run.stop()
