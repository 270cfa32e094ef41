"""A cluster of three Valkeys."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from redis.asyncio import Redis

from control_plane.base.redis import Command, pipelined
from deploy.local.process import Child, Program, running
from deploy.local.valkey import ADDRESS
from tests.support.ports import free_ports
from tests.support.stack import until
from tests.support.valkeys import KEEPS_NOTHING, LOGIN, PASSWORD, server

SLOTS = 16384
SERVERS = 3


class Cluster:
    """``url`` names two of its servers, and one that does not exist."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        ports = free_ports(2 * SERVERS)
        self._ports, self._bus = ports[:SERVERS], ports[SERVERS:]
        hosts = ",".join(f"{ADDRESS}:{port}" for port in (1, *self._ports[1:]))
        self.url = f"redis+cluster://{LOGIN}{hosts}"
        self._programs = [self._program(number) for number in range(SERVERS)]
        self._children: dict[int, Child] = {}
        self._running = contextlib.AsyncExitStack()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Cluster"]:
        async with self._running:
            for number in range(SERVERS):
                await self._start(number)
            await asyncio.gather(*map(self._prepare, range(SERVERS)))
            await asyncio.gather(*map(self._join, range(1, SERVERS)))
            await self._until_whole()
            yield self

    async def kill(self, number: int) -> None:
        child = self._children[number]
        os.kill(child.pid, signal.SIGKILL)
        await child.wait()

    async def start_again(self, number: int) -> None:
        """In its old place, and with nothing of what it held."""
        await self._start(number)
        await self._until_whole()

    async def _start(self, number: int) -> None:
        started = running(self._programs[number])
        self._children[number] = await self._running.enter_async_context(started)
        await until(partial(self._answers, number))

    def _program(self, number: int) -> Program:
        settings = {
            **KEEPS_NOTHING,
            "cluster-enabled": "yes",
            "cluster-port": self._bus[number],
            "cluster-node-timeout": 2000,
            "cluster-require-full-coverage": "no",
        }
        return server(self._folder, self._ports[number], settings)

    async def _prepare(self, number: int) -> None:
        first, end = SLOTS * number // SERVERS, SLOTS * (number + 1) // SERVERS
        await self._tell(number, ("CLUSTER ADDSLOTSRANGE", first, end - 1))
        # Not possible any more once it knows others.
        await self._tell(number, ("CLUSTER SET-CONFIG-EPOCH", number + 1))

    async def _join(self, number: int) -> None:
        first = ADDRESS, self._ports[0], self._bus[0]
        await self._tell(number, ("CLUSTER MEET", *first))

    async def _tell(self, number: int, command: Command) -> None:
        async with self._client(number) as one:
            await pipelined(one, [command])

    async def _answers(self, number: int) -> bool:
        with contextlib.suppress(OSError):
            async with self._client(number) as one:
                return bool(await one.ping())
        return False

    async def _until_whole(self) -> None:
        for number in range(SERVERS):
            await until(partial(self._is_whole, number))

    async def _is_whole(self, number: int) -> bool:
        async with self._client(number) as one:
            [told] = await pipelined(one, [("CLUSTER INFO",)])
        return (told["cluster_state"], told["cluster_slots_ok"]) == ("ok", f"{SLOTS}")

    def _client(self, number: int) -> Redis:
        port = self._ports[number]
        return Redis(host=ADDRESS, port=port, password=PASSWORD, decode_responses=True)
