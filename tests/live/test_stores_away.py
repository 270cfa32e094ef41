"""Postgres and Redis go and come back while somebody is live: nobody is cut, and the
tables and counts are right again."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from deploy.local.postgres import postgres, server
from deploy.local.valkey import installed
from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.stack import Json, Stack, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUNDS = 8.0  # seconds
PROBE = 8.0  # seconds; who asks whether a role is ready waits no longer
ROLES = "PUBLIC", "INTERNAL", "WORK_METRICS"


@contextlib.asynccontextmanager
async def _live(
    stack: Stack, database: str, redis: str
) -> AsyncIterator[tuple[Json, Process]]:
    stack.env |= {"DATABASE_URL": database, "REDIS_URL": redis}
    await stack.start()
    live = await stack.go_live(await stack.sign_in("ann"))
    encoder = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    yield live, encoder


async def test_postgres_restarts(
    own_stack: Stack, server_folder: Path, redis_url: str
) -> None:
    data = server_folder / "postgres"
    async with contextlib.AsyncExitStack() as running:
        database = await running.enter_async_context(postgres(data, durable=True))
        async with _live(own_stack, database, redis_url) as (live, encoder):
            viewer = await own_stack.watch(live["playback_url"])
            await own_stack.viewers(live["id"], 1)
            await running.aclose()

            refused = await own_stack.call("showLiveStream", {"id": live["id"]})
            assert refused["code"] == 201  # a plain sentence, no stack trace
            await encoder.stop()
            # A read of what was live is answered from memory.
            await asyncio.wait_for(_admits(own_stack, live), ROUNDS)

            again = await own_stack.publish(live["rtmp_url"])
            async with postgres(data, durable=True):
                await until(lambda: _returned(own_stack, live))
                assert again.running
                assert "live.ended" not in await own_stack.events(live["id"])
                await viewer.stop()


async def test_postgres_says_nothing_any_more(
    own_stack: Stack, server_folder: Path, redis_url: str
) -> None:
    async with (
        server(server_folder / "postgres", durable=True) as (urls, child),
        _live(own_stack, urls.owner, redis_url) as (live, encoder),
    ):
        viewer = await own_stack.watch(live["playback_url"])
        await own_stack.viewers(live["id"], 1)
        with _standing_still(child.pid):
            for role in ROLES:
                assert await asyncio.wait_for(_ready(own_stack, role), PROBE) == 503
            refused = await own_stack.call("showLiveStream", {"id": live["id"]})
            assert refused["code"] == 201
            await asyncio.wait_for(_admits(own_stack, live), ROUNDS)

        await own_stack.status(live["id"], "live")
        await own_stack.viewers(live["id"], 1)
        assert await own_stack.events(live["id"]) == ["live.created", "live.started"]
        assert encoder.running
        assert viewer.running


@contextlib.contextmanager
def _standing_still(pid: int) -> Iterator[None]:
    """It and all that it started: connections stay open, and come to be."""
    one = psutil.Process(pid)
    held = [one, *one.children(recursive=True)]
    try:
        _signal(held, signal.SIGSTOP)
        yield
    finally:
        _signal(held, signal.SIGCONT)


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


async def _ready(stack: Stack, role: str) -> int:
    url = f"http://127.0.0.1:{stack.ports[role]}/readyz"
    async with stack.http.get(url) as response:
        return response.status


async def _returned(stack: Stack, live: Json) -> bool:
    """The new publisher is the session's, as a replacement or after a gap."""
    shown = await stack.call("showLiveStream", {"id": live["id"]})
    if shown["code"] != 200 or shown["msg"]["LiveStreaming"]["status"] != "live":
        return False
    last = (await stack.events(live["id"]))[-1]
    return last in ("live.resumed", "live.publisher_replaced")


async def _admits(stack: Stack, live: Json) -> None:
    async def look() -> bool:
        async with stack.http.get(live["playback_url"]) as response:
            return response.status in (200, 404)

    await until(look)


async def test_redis_restarts(
    own_stack: Stack, tmp_path: Path, database_url: str
) -> None:
    port = free_ports(1)[0]
    redis = await _valkey(tmp_path, port)
    async with _live(own_stack, database_url, f"redis://127.0.0.1:{port}/0") as started:
        live, encoder = started
        viewer = await own_stack.watch(live["playback_url"])
        await own_stack.viewers(live["id"], 1)
        await redis.kill()

        shown = await own_stack.show(live["id"])
        assert shown["status"] == "live"
        await own_stack.viewers(live["id"], 0)  # nobody knows any more
        redis = await _valkey(tmp_path, port)
        await own_stack.viewers(live["id"], 1)
        assert viewer.running
        assert encoder.running
    await redis.stop()


async def test_redis_says_nothing_any_more(
    own_stack: Stack, tmp_path: Path, database_url: str
) -> None:
    port = free_ports(1)[0]
    redis = await _valkey(tmp_path, port)
    async with _live(own_stack, database_url, f"redis://127.0.0.1:{port}/0") as started:
        live, encoder = started
        viewer = await own_stack.watch(live["playback_url"])
        await own_stack.viewers(live["id"], 1)
        with _standing_still(redis.process.pid):
            for role in ROLES:
                assert await asyncio.wait_for(_ready(own_stack, role), PROBE) == 503
            await asyncio.wait_for(_admits(own_stack, live), ROUNDS)
            other = await own_stack.go_live(await own_stack.sign_in("bob"))
            another = await own_stack.publish(other["rtmp_url"])
            await own_stack.status(other["id"], "live")
            await own_stack.viewers(live["id"], 0)  # nobody knows any more

        await own_stack.viewers(live["id"], 1)
        assert viewer.running
        assert encoder.running
        assert another.running
    await redis.stop()


async def _valkey(folder: Path, port: int) -> Process:
    """Without a password, so that a restart changes nothing."""
    options = f"--port {port} --bind 127.0.0.1 --save"
    command = [str(installed()), *options.split(), ""]
    process = await Process.start(folder / "valkey.log", *command)
    await until(lambda: _listens(port))
    return process


async def _listens(port: int) -> bool:
    try:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
