"""A cluster of Valkeys, three if nothing else is said, and one more that may follow one
of them."""

import asyncio
import contextlib
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import ResponseError

from control_plane.base.redis import Command, pipelined
from deploy.local.process import Child, Program, running
from deploy.local.valkey import ADDRESS
from tests.support.ports import free_ports
from tests.support.stack import until
from tests.support.valkeys import KEEPS_NOTHING, LOGIN, PASSWORD, server

SLOTS = 16384
SERVERS = 3
SOON = 1000  # milliseconds for a key to move


def held_by(number: int) -> Iterator[str]:
    """Names that this one of three holds as long as nothing moves."""
    names = (f"key-{count}" for count in itertools.count())
    return (name for name in names if key_slot(name.encode()) in _slots(number))


def _slots(number: int, servers: int = SERVERS) -> range:
    return range(SLOTS * number // servers, SLOTS * (number + 1) // servers)


class Cluster:
    """``url`` names two of its servers at most, and one that does not exist."""

    def __init__(self, folder: Path, servers: int = SERVERS) -> None:
        self._folder = folder
        self._servers = servers
        self._replica = servers  # its number
        ports = free_ports(2 * (servers + 1))
        self._ports, self._bus = ports[: servers + 1], ports[servers + 1 :]
        named = (1, *self._ports[:servers][-2:])
        hosts = ",".join(f"{ADDRESS}:{port}" for port in named)
        self.url = f"redis+cluster://{LOGIN}{hosts}"
        self._programs = [self._program(number) for number in range(servers + 1)]
        self._children: dict[int, Child] = {}
        self._running = contextlib.AsyncExitStack()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Cluster"]:
        async with self._running:
            for number in range(self._servers):
                await self._start(number)
            await asyncio.gather(*map(self._prepare, range(self._servers)))
            await asyncio.gather(*map(self._join, range(1, self._servers)))
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

    async def refuse_writes(self, number: int, *, on: bool) -> None:
        """As one whose replicas are gone."""
        await self._tell(number, ("CONFIG SET", "min-replicas-to-write", int(on)))

    async def add_replica(self, of: int) -> None:
        """Which takes over when that one is gone."""
        await self._start(self._replica)
        await self._join(self._replica)
        known = ("CLUSTER REPLICATE", await self._id(of))
        await until(partial(self._takes, self._replica, known))
        await until(partial(self._follows, self._replica))

    async def move(self, slot: int, source: int, target: int) -> None:
        """With all its keys, while it is used."""
        ids = [await self._id(number) for number in (source, target)]
        await self._tell(target, ("CLUSTER SETSLOT", slot, "IMPORTING", ids[0]))
        await self._tell(source, ("CLUSTER SETSLOT", slot, "MIGRATING", ids[1]))
        while keys := await self._tell(source, ("CLUSTER GETKEYSINSLOT", slot, 1)):
            to = ADDRESS, self._ports[target]
            how = 0, SOON, "AUTH", PASSWORD
            await self._tell(source, ("MIGRATE", *to, keys[0], *how))
        for number in (target, source):
            await self._tell(number, ("CLUSTER SETSLOT", slot, "NODE", ids[1]))

    async def _start(self, number: int) -> None:
        started = running(self._programs[number])
        self._children[number] = await self._running.enter_async_context(started)
        await until(partial(self._answers, number))

    def _program(self, number: int) -> Program:
        settings = {
            **KEEPS_NOTHING,
            "masterauth": f'"{PASSWORD}"',
            "repl-diskless-sync-delay": 0,
            "cluster-enabled": "yes",
            "cluster-port": self._bus[number],
            "cluster-node-timeout": 2000,
            "cluster-require-full-coverage": "no",
        }
        return server(self._folder, self._ports[number], settings)

    async def _prepare(self, number: int) -> None:
        slots = _slots(number, self._servers)
        await self._tell(number, ("CLUSTER ADDSLOTSRANGE", slots[0], slots[-1]))
        # Not possible any more once it knows others.
        await self._tell(number, ("CLUSTER SET-CONFIG-EPOCH", number + 1))

    async def _join(self, number: int) -> None:
        first = ADDRESS, self._ports[0], self._bus[0]
        await self._tell(number, ("CLUSTER MEET", *first))

    async def _tell(self, number: int, command: Command) -> Any:
        async with self._client(number) as one:
            [answer] = await pipelined(one, [command])
        return answer

    async def _id(self, number: int) -> str:
        return str(await self._tell(number, ("CLUSTER MYID",)))

    async def _takes(self, number: int, command: Command) -> bool:
        """It does not as long as it does not know the other."""
        try:
            await self._tell(number, command)
        except ResponseError:
            return False
        return True

    async def _follows(self, number: int) -> bool:
        told = await self._tell(number, ("INFO", "replication"))
        return bool(told["master_link_status"] == "up")

    async def _answers(self, number: int) -> bool:
        with contextlib.suppress(OSError):
            async with self._client(number) as one:
                return bool(await one.ping())
        return False

    async def _until_whole(self) -> None:
        for number in range(self._servers):
            await until(partial(self._is_whole, number))

    async def _is_whole(self, number: int) -> bool:
        told = await self._tell(number, ("CLUSTER INFO",))
        return (told["cluster_state"], told["cluster_slots_ok"]) == ("ok", f"{SLOTS}")

    def _client(self, number: int) -> Redis:
        port = self._ports[number]
        return Redis(host=ADDRESS, port=port, password=PASSWORD, decode_responses=True)
