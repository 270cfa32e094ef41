"""Serving HTTP on sockets that listen already: to everybody, to our own nodes, and to
whoever looks after us."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from aiohttp import web

from control_plane.base.tasks import Loop
from control_plane.web import logs
from control_plane.web.accepting import BACKLOG, Acceptor
from control_plane.web.address import Addresses
from control_plane.web.connections import IDLE, Connections, room

LONGEST_PATH = 4096  # bytes, with its query; routing takes the square of it
LINGERING = 5.0  # seconds for a body that nobody reads
BUFFER = 16_384  # bytes, and a sixteenth as many chunks, read ahead of a handler

SWEEP_EVERY = 1.0  # seconds
DRAIN = 5.0  # seconds


class NodeConnections(Protocol):
    """What speaks to nodes is not of the web's making."""

    def admit(self, one: socket.socket) -> asyncio.Protocol | None: ...

    def sweep(self) -> None: ...

    async def drain(self, within: float) -> None: ...


def _options() -> dict[str, Any]:
    return {
        "access_log": None,
        "logger": logs.of_http(),
        "max_line_size": LONGEST_PATH,
        "keepalive_timeout": IDLE,
        "lingering_time": LINGERING,
        "read_bufsize": BUFFER,
        "auto_decompress": False,
    }


@contextlib.asynccontextmanager
async def to_everybody(
    app: web.Application, sockets: Sequence[socket.socket], addresses: Addresses
) -> AsyncIterator[None]:
    runner = web.AppRunner(app, shutdown_timeout=5.0, **_options())
    async with _running(runner) as server:
        connections = Connections(server, addresses, room())
        acceptor = Acceptor(
            sockets, lambda _, address: connections.admit(address), connections.room
        )
        connections.freed = acceptor.resume
        with contextlib.closing(acceptor):
            acceptor.resume()
            yield


@contextlib.asynccontextmanager
async def to_operators(
    app: web.Application, sockets: Sequence[socket.socket]
) -> AsyncIterator[None]:
    """Few, and on our own networks."""
    runner = web.AppRunner(app, shutdown_timeout=1.0, **_options())
    async with _running(runner):
        for one in sockets:
            await web.SockSite(runner, one.dup()).start()
        yield


@contextlib.asynccontextmanager
async def to_nodes(
    connections: NodeConnections, sockets: Sequence[socket.socket]
) -> AsyncIterator[None]:
    async def sweep() -> None:
        connections.sweep()

    for one in sockets:
        _wake_with_data(one)
    acceptor = Acceptor(sockets, lambda one, _: connections.admit(one))
    async with Loop("sweep", sweep, SWEEP_EVERY).running():
        for one in sockets:
            one.listen(BACKLOG)
        acceptor.resume()
        try:
            yield
        finally:
            await acceptor.leave()
            await connections.drain(DRAIN)


def _wake_with_data(listening: socket.socket) -> None:
    """A connection is taken when its first bytes are there, so that the first read
    finds them; without this it would be found as often as not."""
    if hasattr(socket, "TCP_DEFER_ACCEPT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)


@contextlib.asynccontextmanager
async def _running(runner: web.BaseRunner) -> AsyncIterator[web.Server]:
    await runner.setup()
    try:
        if runner.server is None:
            raise RuntimeError("a runner that is set up has a server")
        yield runner.server
    finally:
        await runner.cleanup()
