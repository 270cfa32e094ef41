"""Two Valkeys, of which one follows the other, and three sentinels that watch them."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from deploy.local.process import running
from deploy.local.valkey import ADDRESS
from tests.support.ports import free_ports
from tests.support.stack import until
from tests.support.valkeys import KEEPS_NOTHING, LOGIN, PASSWORD, server

SERVICE = "ours"
SENTINELS_PASSWORD = "of sentinels"
SENTINELS, AGREED = 3, 2
SERVER = {
    **KEEPS_NOTHING,
    "masterauth": f'"{PASSWORD}"',
    "repl-diskless-sync-delay": 0,
}


def _sentinel(primary: int) -> dict[str, object]:
    return {
        "requirepass": f'"{SENTINELS_PASSWORD}"',
        f"sentinel monitor {SERVICE}": f"{ADDRESS} {primary} {AGREED}",
        f"sentinel auth-pass {SERVICE}": f'"{PASSWORD}"',
        f"sentinel down-after-milliseconds {SERVICE}": 500,
        f"sentinel failover-timeout {SERVICE}": 5000,
    }


class Watched:
    """``url`` names the sentinels; the first of them goes with the primary, as if they
    were on one machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._primary = contextlib.AsyncExitStack()
        self._servers, self._sentinels = free_ports(2), free_ports(SENTINELS)
        theirs = SENTINELS_PASSWORD.replace(" ", "%20")
        places = ",".join(f"{ADDRESS}:{port}" for port in self._sentinels)
        self.url = f"redis+sentinel://{LOGIN}{places}/{SERVICE}/3?password={theirs}"

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Watched"]:
        primary, replica = self._servers
        following = {**SERVER, "replicaof": f"{ADDRESS} {primary}"}
        async with contextlib.AsyncExitStack() as stack, self._primary:
            started = running(server(self._folder, primary, SERVER))
            await self._primary.enter_async_context(started)
            await stack.enter_async_context(
                running(server(self._folder, replica, following))
            )
            for number, port in enumerate(self._sentinels):
                watching = server(self._folder, port, _sentinel(primary), "--sentinel")
                with_it = stack if number else self._primary
                await with_it.enter_async_context(running(watching))
            await until(self._is_watched)
            yield self

    async def stop_primary(self) -> None:
        await self._primary.aclose()

    async def _is_watched(self) -> bool:
        """Each knows the others, and a replica that could take over."""
        with contextlib.suppress(OSError):
            return all([await _knows_all(port) for port in self._sentinels])
        return False


async def _knows_all(port: int) -> bool:
    async with Redis(host=ADDRESS, port=port, password=SENTINELS_PASSWORD) as one:
        others: Any = await one.sentinel_sentinels(SERVICE)
        replicas = await one.sentinel_slaves(SERVICE)
    linked = any(each["master-link-status"] == "ok" for each in replicas)
    return linked and len(others) == SENTINELS - 1
