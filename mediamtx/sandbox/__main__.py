"""``python -m mediamtx.sandbox mediamtx.yml``"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import click
from aiohttp import web

from mediamtx.sandbox import rtmp
from mediamtx.sandbox.api import Api
from mediamtx.sandbox.config import Config, ConfigError, read
from mediamtx.sandbox.folder import own_folder
from mediamtx.sandbox.hls import Hls
from mediamtx.sandbox.paths import Node
from mediamtx.sandbox.version import VERSIONS

NOT_FOR_PRODUCTION = "WAR sandbox node, a stand-in for MediaMTX: not for production"
SWEEP = 10.0  # seconds between looks for idle HLS sessions


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--act-as",
    type=click.Choice(list(VERSIONS)),
    default="v1.20.1",
    show_default=True,
    help="v1.17.1 has no HLS sessions and asks for each HLS request.",
)
@click.option(
    "--pause",
    default=0.5,
    show_default=True,
    help="Seconds before a refusal (MediaMTX: a random 0 to 4).",
)
@click.option(
    "--idle",
    default=30.0,
    show_default=True,
    help="Seconds without a request until an HLS session is over.",
)
def main(config: Path, act_as: str, pause: float, idle: float) -> None:
    """A small stand-in for MediaMTX, with the same CONFIG: RTMP in, HLS out."""
    try:
        known = read(config)
        with own_folder() as folder:
            asyncio.run(_run(Node(known, VERSIONS[act_as], folder, pause, idle)))
    except (ConfigError, OSError) as error:
        print(f"ERR {error}", file=sys.stderr, flush=True)
        raise SystemExit(1) from None


async def _run(node: Node) -> None:
    print(NOT_FOR_PRODUCTION, flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _serving(node):
        _announce(node.config)
        sweeping = asyncio.create_task(_sweep(node))
        await stop.wait()
        sweeping.cancel()
    print("INF closed", flush=True)


@contextlib.asynccontextmanager
async def _serving(node: Node) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        with _named("RTMP", node.config.rtmp):
            server = await rtmp.listen(node)
        stack.callback(server.close)
        hls = web.Application()
        hls.router.add_route("*", "/{path:.*}", Hls(node).handle)
        await stack.enter_async_context(_site("HLS", hls, node.config.hls))
        await stack.enter_async_context(_site("API", Api(node).app(), node.config.api))
        yield
        server.close()
        for publisher in list(node.connections.values()):
            publisher.close.set()
        if node.serving:
            await asyncio.wait(node.serving, timeout=5.0)
        await node.commands.finish()


@contextlib.asynccontextmanager
async def _site(
    name: str, app: web.Application, address: tuple[str, int]
) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        with _named(name, address):
            await web.TCPSite(runner, address[0] or None, address[1]).start()
        yield
    finally:
        await runner.cleanup()


@contextlib.contextmanager
def _named(name: str, address: tuple[str, int]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        why = os.strerror(number) if number > 0 else str(error)
        host, port = address
        raise OSError(f"[{name}] cannot listen on {host}:{port}: {why}.") from None


async def _sweep(node: Node) -> None:
    while True:
        await asyncio.sleep(min(SWEEP, node.idle))
        node.end_idle_sessions()


def _announce(config: Config) -> None:
    for name in config.not_served:
        print(f"WAR {name} is not served by the sandbox node", flush=True)
    for name, (host, port) in (
        ("RTMP", config.rtmp),
        ("HLS", config.hls),
        ("API", config.api),
    ):
        print(f"INF [{name}] listener opened on {host}:{port}", flush=True)


if __name__ == "__main__":
    main()
