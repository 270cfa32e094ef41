"""``control-plane serve`` as its operator sees it: three processes and their parent."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial

import asyncpg
import psutil
import pytest

from tests.support.commands import command
from tests.support.process import Process
from tests.support.roles import STATUS, Operator
from tests.support.stack import until

ROLES = ["auth", "api", "work"]
LOOP = re.compile('loop_age_seconds{loop="([a-z_]+)"}')
ADD_LOCAL = "nodes add local --api http://127.0.0.1:9 --host 127.0.0.1"
GONE = "MTX_PATH=live/1\nMTX_SOURCE_TYPE=rtmpConn\nMTX_SOURCE_ID=one"


@contextlib.contextmanager
def _held(pid: int) -> Iterator[None]:
    """It goes on after, or it would never hear that its parent is gone."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


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


async def test_a_setting_with_a_slip_in_its_name_is_told(operator: Operator) -> None:
    parent = await operator.serve("--role", "auth", CONTROL_PLANE_LOGLEVEL="debug")
    await operator.is_ready("auth")
    told = [line for line in parent.log.read_text().splitlines() if "LOGLEVEL" in line]
    assert [json.loads(line)["level"] for line in told] == ["warning"]


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


@contextlib.asynccontextmanager
async def _locked(url: str, table: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Nobody can read it meanwhile. How many wait for it."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table}")
            waiting = "SELECT count(*) FROM pg_locks WHERE relation = $1::regclass"
            yield partial(connection.fetchval, f"{waiting} AND NOT granted", table)
    finally:
        await connection.close()


async def test_one_of_several_at_a_port_listens_while_it_serves_only(
    operator: Operator, owner_url: str
) -> None:
    """What comes to it before and after would wait, while others could answer."""
    shared = {
        "CONTROL_PLANE_INTERNAL_REUSE_PORT": "true",
        "CONTROL_PLANE_NODE_NAME": "",  # nothing to write before it begins
    }
    added = await command(operator.env, *ADD_LOCAL.split())
    assert added.exit_code == 0, added.output
    async with _locked(owner_url, "nodes") as waiting:
        alone = await operator.serve("--role", "auth", **shared)
        await until(waiting)
        assert not _listens(alone)
    await operator.serving("auth")
    assert _listens(alone)
    async with _locked(owner_url, "publish_grants") as waiting:
        told = asyncio.create_task(operator.tells("not_ready", GONE))
        await until(waiting)
        await _stops_listening(alone)
    assert await told == 204


def _listens(process: Process) -> bool:
    found = psutil.Process(process.process.pid).net_connections("tcp")
    return any(one.status == psutil.CONN_LISTEN for one in found)


async def _stops_listening(process: Process) -> None:
    """Told to stop, and before it has."""
    process.process.terminate()

    async def deaf() -> bool:
        return not _listens(process)

    await until(deaf)
    assert process.running


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
        stderr=asyncio.subprocess.PIPE,
    )


async def test_settings_that_the_socket_does_not_follow_are_named(
    operator: Operator,
) -> None:
    """Or nodes elsewhere would ask where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        refused = await _handed(operator, held)
        _, said = await refused.communicate()
        own = held.getsockname()[1]
    assert refused.returncode == 1
    assert f"systemd listens at 127.0.0.1:{own}" in said.decode()
    assert "CONTROL_PLANE_INTERNAL_PORT" in said.decode()
    assert f"say 127.0.0.1:{operator.ports['INTERNAL']}" in said.decode()


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
