"""``control-plane serve`` as its operator sees it: three processes and their parent."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from control_plane.base.secrets import Secrets
from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.stack import until

SECRET = "a secret of thirty-two characters"
ROLES = ["auth", "api", "work"]
LOOP = re.compile('loop_age_seconds{loop="([a-z_]+)"}')
PLACES = ["PUBLIC", "INTERNAL", "OPERATOR", "API_METRICS", "WORK_METRICS"]
#: Where each role says how it is.
STATUS = {"auth": "INTERNAL", "api": "PUBLIC", "work": "WORK_METRICS"}


class Operator:
    """Starts the service on ports of its own, and looks after it."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self._folder = folder
        self.ports = dict(zip(PLACES, free_ports(len(PLACES)), strict=True))
        self.env = {
            **os.environ,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CONTROL_PLANE_SECRET": SECRET,
            "CONTROL_PLANE_PUBLIC_HOST": "127.0.0.1",
            **{f"CONTROL_PLANE_{n}_PORT": str(p) for n, p in self.ports.items()},
        }
        self.started: list[Process] = []

    async def serve(self, *options: str, **changes: str) -> Process:
        process = await Process.start(
            self._folder / f"{len(self.started)}.log",
            *(sys.executable, "-m", "control_plane", "serve", *options),
            env=self.env | changes,
        )
        self.started.append(process)
        return process

    async def up(self) -> Process:
        process = await self.serve()
        for role in STATUS:
            await self.is_ready(role)
        return process

    async def is_ready(self, role: str) -> None:
        await until(lambda: self._answer(STATUS[role], "/readyz"))

    async def serving(self, role: str) -> None:
        """The newest process says so."""

        async def said() -> bool:
            log = self.started[-1].log.read_text()
            return f'"role": "{role}"' in log

        await until(said)

    async def asks_auth(self) -> int:
        """The status of a node's call about a path that is nobody's."""
        basic = aiohttp.encode_basic_auth("local", Secrets(SECRET).node("local"))
        url = f"http://127.0.0.1:{self.ports['INTERNAL']}/hooks/mediamtx/local/auth"
        body = {"action": "publish", "path": "live/1", "protocol": "rtmp"}
        async with (
            aiohttp.ClientSession(headers={"Authorization": basic}) as http,
            http.post(url, json=body) as response,
        ):
            return response.status

    async def scrapes(self, place: str) -> str:
        return str(await self._answer(place, "/metrics"))

    async def _answer(self, place: str, path: str) -> str:
        """Its body; empty while it is not good."""
        url = f"http://127.0.0.1:{self.ports[place]}{path}"
        try:
            async with aiohttp.ClientSession() as http, http.get(url) as response:
                return await response.text() if response.status == 200 else ""
        except aiohttp.ClientError:
            return ""

    def pid(self, role: str) -> int:
        """Of the process that has this role now, or had it last."""
        # The last line may still be on its way.
        whole, _, _ = self.started[-1].log.read_text().rpartition("\n")
        lines = [json.loads(line) for line in whole.splitlines() if "serving" in line]
        return int([line["pid"] for line in lines if line["role"] == role][-1])


@pytest.fixture
async def operator(
    tmp_path: Path, database_url: str, redis_url: str
) -> AsyncIterator[Operator]:
    found = Operator(tmp_path, database_url, redis_url)
    yield found
    for process in found.started:
        await process.kill()


@contextlib.contextmanager
def _held(pid: int) -> Iterator[None]:
    """It goes on after, or it would never hear that its parent is gone."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"


async def _all_ended(pids: list[int]) -> None:
    async def ended() -> bool:
        return not any(map(_runs, pids))

    await until(ended)


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_that_is_killed_is_started_again(
    operator: Operator, role: str
) -> None:
    await operator.up()
    before = {name: operator.pid(name) for name in ROLES}
    os.kill(before[role], signal.SIGKILL)
    await _all_ended([before[role]])
    await operator.is_ready(role)
    after = {name: operator.pid(name) for name in ROLES}
    assert {name for name in ROLES if after[name] != before[name]} == {role}


async def test_who_calls_meanwhile_waits_and_is_answered(operator: Operator) -> None:
    await operator.up()
    assert await operator.asks_auth() == 401
    os.kill(operator.pid("auth"), signal.SIGKILL)
    assert await operator.asks_auth() == 401


async def test_whatever_the_public_side_does_nodes_are_answered(
    operator: Operator,
) -> None:
    await operator.up()
    with _held(operator.pid("api")), _held(operator.pid("work")):
        assert await operator.asks_auth() == 401
        assert "control_plane_auth_answers_total" in await operator.scrapes("INTERNAL")


async def test_one_signal_ends_all(operator: Operator) -> None:
    parent = await operator.up()
    pids = [operator.pid(role) for role in ROLES]
    await parent.stop()
    assert await parent.ended() == 0
    assert not any(map(_runs, pids))


async def test_roles_do_not_outlive_their_parent(operator: Operator) -> None:
    parent = await operator.up()
    pids = [operator.pid(role) for role in ROLES]
    await parent.kill()
    await _all_ended(pids)


async def test_a_port_that_is_taken_is_named(operator: Operator) -> None:
    with socket.create_server(("127.0.0.1", operator.ports["WORK_METRICS"])):
        parent = await operator.serve()
        assert await parent.ended() == 1
    assert "CONTROL_PLANE_WORK_METRICS_PORT moves it" in parent.log.read_text()


async def test_without_compiled_parts_it_does_not_start(operator: Operator) -> None:
    parent = await operator.serve(AIOHTTP_NO_EXTENSIONS="1")
    assert await parent.ended() == 1
    assert "aiohttp was installed without its compiled parts" in parent.log.read_text()


async def test_a_role_that_cannot_start_ends_all(operator: Operator) -> None:
    """Its certificates are not there."""
    parent = await operator.serve(CONTROL_PLANE_STORE_CA_FILE="/nowhere/ca.pem")
    assert await parent.ended() == 1


@pytest.mark.parametrize("role", ROLES)
async def test_one_role_alone(operator: Operator, role: str) -> None:
    alone = await operator.serve("--role", role)
    await operator.is_ready(role)
    others = [place for name, place in STATUS.items() if name != role]
    for place in others:
        assert not await operator.scrapes(place)
    await alone.stop(signal.SIGINT)
    assert await alone.ended() == 0


async def test_auth_twice_on_one_port(operator: Operator) -> None:
    shared = {"CONTROL_PLANE_INTERNAL_REUSE_PORT": "true"}
    for _ in range(2):
        await operator.serve("--role", "auth", **shared)
        await operator.serving("auth")
    one, other = operator.started
    await one.stop()
    assert await operator.asks_auth() == 401
    await other.stop()


async def test_each_role_shows_its_own_loops(operator: Operator) -> None:
    await operator.up()
    own = {
        "INTERNAL": "permissions",
        "API_METRICS": "watching",
        "WORK_METRICS": "rounds",
    }
    loops: dict[str, set[str]] = {}

    async def all_run() -> bool:
        """A node's rounds begin once its lease is taken."""
        for place in own:
            loops[place] = set(LOOP.findall(await operator.scrapes(place)))
        return all(name in loops[place] for place, name in own.items())

    await until(all_run)
    assert not loops["INTERNAL"] & (loops["API_METRICS"] | loops["WORK_METRICS"])


#: As systemd starts a service that it holds a socket for: it is descriptor 3.
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "internal"}
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


async def _handed(
    operator: Operator, held: socket.socket
) -> asyncio.subprocess.Process:
    words = ("-m", "control_plane", "serve", "--role", "auth")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HAND_OVER, str(held.fileno()), *words),
        env=operator.env,
        pass_fds=[held.fileno()],
    )


async def test_who_asks_while_auth_is_started_again_waits(operator: Operator) -> None:
    """Where systemd holds the socket."""
    at = ("127.0.0.1", operator.ports["INTERNAL"])
    with socket.create_server(at, backlog=64) as held:
        first = await _handed(operator, held)
        await operator.is_ready("auth")
        first.terminate()
        assert await first.wait() == 0
        asked = asyncio.create_task(operator.asks_auth())
        second = await _handed(operator, held)
        assert await asked == 401
        second.terminate()
        assert await second.wait() == 0
