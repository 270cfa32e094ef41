"""The command that MediaMTX starts, in every shell and with every sender we name."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.ports import free_ports

NOTIFY = Path(__file__).parents[2] / "hooks" / "notify.sh"
SECRET = "n0de-s3cret"
SHELLS = {"dash": "dash", "busybox sh": "busybox", "bash as sh": "bash"}
#: What the folder in PATH holds, and nothing else: name -> program.
SENDERS = {
    "curl": {"curl": "curl"},
    "busybox wget": {"wget": "busybox", "sleep": "busybox"},
    "GNU wget": {name: name for name in ("wget", "sleep", "cat", "rm")},
}
PAIRS = [(shell, sender) for shell in SHELLS for sender in SENDERS]
ENVIRONMENT = {
    "CONTROL_PLANE_HOOK_SECRET": SECRET,
    "MTX_PATH": "live/7",
    "MTX_SOURCE_TYPE": "rtmpConn",
    "MTX_SOURCE_ID": "07fb1cdb-4583-4dd8-a3b0-79a446e91464",
    "MTX_QUERY": "key%3DK3y_abc",
}
BODY = f"""\
CONTROL_PLANE_HOOK_SECRET={SECRET}
MTX_PATH=live/7
MTX_SOURCE_TYPE=rtmpConn
MTX_SOURCE_ID=07fb1cdb-4583-4dd8-a3b0-79a446e91464
"""

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Setting:
    """A shell, and a folder that holds one way to send."""

    shell: list[str]
    path: Path
    scratch: Path

    async def start(
        self, *arguments: str, **environment: str
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.shell,
            str(NOTIFY),
            *arguments,
            env={"PATH": str(self.path), "TMPDIR": str(self.scratch), **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )

    async def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Exit code and stderr."""
        return await ended(await self.start(*arguments, **environment))


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    async with asyncio.timeout(60):
        _, stderr = await process.communicate()
    assert process.returncode is not None
    return process.returncode, stderr.decode()


def setting(folder: Path, shell: str, sender: str) -> Setting:
    path, scratch = folder / "bin", folder / "tmp"
    path.mkdir(parents=True)
    scratch.mkdir()
    for name, program in SENDERS.get(sender, {}).items():
        (path / name).symlink_to(found(program))
    (folder / "sh").symlink_to(found("bash"))
    command = {"dash": [found("dash")], "bash as sh": [str(folder / "sh")]}
    return Setting(command.get(shell) or [found("busybox"), "sh"], path, scratch)


def found(program: str) -> str:
    where = shutil.which(program)
    if where is None:
        pytest.skip(f"{program} is not installed")
    return where


@pytest.fixture(params=PAIRS, ids=" with ".join)
def each(request: pytest.FixtureRequest, tmp_path: Path) -> Setting:
    return setting(tmp_path / "each", *request.param)


@pytest.fixture
def usual(tmp_path: Path) -> Setting:
    return setting(tmp_path / "usual", "dash", "curl")


@contextlib.asynccontextmanager
async def control_plane(answer: Answer) -> AsyncIterator[str]:
    """The URL of node ``local``, whose messages ``answer`` gets."""
    app = web.Application()
    app.router.add_post("/hooks/mediamtx/local/{event}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/hooks/mediamtx/local"))


async def taken(_: web.Request) -> web.Response:
    return web.Response(status=204)


async def test_it_tells(each: Setting) -> None:
    async def answer(request: web.Request) -> web.Response:
        got.append((request.match_info["event"], await request.text()))
        return web.Response(status=204)

    got: list[tuple[str, str]] = []
    async with control_plane(answer) as url:
        assert await each.run("ready", url, **ENVIRONMENT) == (0, "")
        assert await each.run("not_ready", url + "/", **ENVIRONMENT) == (0, "")
    assert got == [("ready", BODY), ("not_ready", BODY)]
    assert list(each.scratch.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc here")
async def test_its_secret_is_in_no_process_list(each: Setting) -> None:
    def command_lines() -> list[bytes]:
        lines = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                lines.append(entry.read_bytes())
        return lines

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        lines.extend(command_lines())
        return web.Response(status=204)

    lines: list[bytes] = []
    async with control_plane(answer) as url:
        assert await each.run("ready", url, **ENVIRONMENT) == (0, "")
    assert any(url.encode() in line for line in lines)
    assert not any(SECRET.encode() in line for line in lines)


async def test_an_interrupt_of_its_process_group_does_not_stop_it(
    each: Setting,
) -> None:
    """MediaMTX does that to a start command that still runs when the stream ends."""

    async def answer(request: web.Request) -> web.Response:
        bodies.append(await request.text())
        arrived.set()
        await released.wait()
        return web.Response(status=204)

    bodies: list[str] = []
    arrived, released = asyncio.Event(), asyncio.Event()
    async with control_plane(answer) as url:
        process = await each.start("ready", url, **ENVIRONMENT)
        async with asyncio.timeout(60):
            await arrived.wait()
        os.killpg(process.pid, signal.SIGINT)
        released.set()
        assert await ended(process) == (0, "")
    assert bodies == [BODY]


async def test_it_tries_again(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        body = await request.text()
        attempts[body] += 1
        if attempts[body] == 1 and request.transport is not None:
            request.transport.abort()
        return web.Response(status=503 if attempts[body] < 3 else 204)

    attempts: Counter[str] = Counter()
    async with control_plane(answer) as url:
        results = await run_all(tmp_path, url)
    assert results == [(0, "")] * len(PAIRS)
    assert sorted(attempts.values()) == [3] * len(PAIRS)


async def test_it_gives_up(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        await released.wait()
        return web.Response(status=204)

    released = asyncio.Event()
    began = time.monotonic()
    async with control_plane(answer) as url:
        results = await run_all(tmp_path, url)
        took = time.monotonic() - began
        released.set()
    assert_failed(results)
    assert took < 30.0  # 7 on a machine that has time


async def test_it_fails_when_nobody_listens(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}/hooks/mediamtx/local"
    assert_failed(await run_all(tmp_path, url))


async def test_it_fails_when_it_is_refused(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=401)

    async with control_plane(answer) as url:
        assert_failed(await run_all(tmp_path, url))


async def run_all(folder: Path, url: str) -> list[tuple[int, str]]:
    """Every shell with every sender, at the same time; each is one MTX_CONN_ID."""
    settings = [
        setting(folder / str(number), *pair) for number, pair in enumerate(PAIRS)
    ]
    runs = [
        each.run("ready", url, MTX_CONN_ID=str(number), **ENVIRONMENT)
        for number, each in enumerate(settings)
    ]
    return await asyncio.gather(*runs)


def assert_failed(results: list[tuple[int, str]]) -> None:
    assert [code for code, _ in results] == [1] * len(PAIRS)
    for _, stderr in results:
        assert stderr.startswith("notify.sh: ready of live/7 was not delivered: ")
        assert stderr.count("\n") == 1
        assert SECRET not in stderr


@pytest.mark.parametrize("shell", SHELLS)
async def test_values_stay_on_one_line(shell: str, tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        bodies.append(await request.text())
        return web.Response(status=204)

    bodies: list[str] = []
    odd = {
        "CONTROL_PLANE_HOOK_SECRET": r"a\nb $(id) `id` %s *",
        "MTX_PATH": "live/7\r\nMTX_SOURCE_ID=forged\n",
        "MTX_READER_TYPE": "hlsSession",
        "MTX_READER_ID": " two  spaces ",
        "MTX_CONN_TYPE": "rtmpConn",
        "MTX_CONN_ID": "'\"\\",
    }
    async with control_plane(answer) as url:
        run = setting(tmp_path, shell, "curl").run
        assert await run("ready", url, **odd) == (0, "")
    assert bodies == [
        "CONTROL_PLANE_HOOK_SECRET=a\\nb $(id) `id` %s *\n"
        "MTX_PATH=live/7MTX_SOURCE_ID=forged\n"
        "MTX_READER_TYPE=hlsSession\n"
        "MTX_READER_ID= two  spaces \n"
        "MTX_CONN_TYPE=rtmpConn\n"
        "MTX_CONN_ID='\"\\\n"
    ]


@pytest.mark.parametrize("text", [f"{SECRET}\n", SECRET, f"{SECRET}\nmore\n"])
async def test_its_secret_may_come_from_a_file(
    text: str, usual: Setting, tmp_path: Path
) -> None:
    async def answer(request: web.Request) -> web.Response:
        bodies.append(await request.text())
        return web.Response(status=204)

    bodies: list[str] = []
    file = tmp_path / "secret"
    file.write_text(text)
    file.chmod(0o600)
    async with control_plane(answer) as url:
        named = {"CONTROL_PLANE_HOOK_SECRET_FILE": str(file)}
        assert await usual.run("ready", url, **named) == (0, "")
    assert bodies == [f"CONTROL_PLANE_HOOK_SECRET={SECRET}\n"]


async def test_no_proxy_sees_the_secret(each: Setting) -> None:
    proxy = f"http://127.0.0.1:{free_ports(1)[0]}"
    async with control_plane(taken) as url:
        assert await each.run(
            "ready", url, http_proxy=proxy, all_proxy=proxy, **ENVIRONMENT
        ) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ready"], "needs two arguments"),
        (["../auth", "http://127.0.0.1:1"], "is no event"),
        (["ready", "--output=x"], "must begin with http://"),
    ],
)
async def test_it_refuses_other_arguments(
    arguments: list[str], said: str, usual: Setting
) -> None:
    code, stderr = await usual.run(*arguments, **ENVIRONMENT)
    assert code == 1
    assert said in stderr
    assert stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "must give the secret"),
        ({"CONTROL_PLANE_HOOK_SECRET_FILE": "/nowhere"}, "/nowhere, which cannot"),
    ],
)
async def test_it_says_that_the_secret_is_missing(
    environment: dict[str, str], said: str, usual: Setting
) -> None:
    code, stderr = await usual.run("ready", "http://127.0.0.1:1", **environment)
    assert code == 1
    assert said in stderr


async def test_it_says_that_nothing_can_send(tmp_path: Path) -> None:
    bare = setting(tmp_path, "dash", "nothing")
    code, stderr = await bare.run("ready", "http://127.0.0.1:1", **ENVIRONMENT)
    assert (code, "neither curl nor wget" in stderr) == (1, True)


async def test_it_helps(usual: Setting) -> None:
    process = await usual.start("--help")
    stdout, _ = await process.communicate()
    assert process.returncode == 0
    assert b"EVENT URL" in stdout


async def test_shellcheck_finds_nothing() -> None:
    process = await asyncio.create_subprocess_exec(
        found("shellcheck"), str(NOTIFY), stdout=asyncio.subprocess.PIPE
    )
    stdout, _ = await process.communicate()
    assert (process.returncode, stdout.decode()) == (0, "")
