"""Two Valkeys, of which one follows the other, and a sentinel that watches them."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from redis.asyncio import Redis

from deploy.local.process import running
from deploy.local.valkey import ADDRESS
from tests.support.ports import free_ports
from tests.support.stack import until
from tests.support.valkeys import KEEPS_NOTHING, LOGIN, PASSWORD, server

SERVICE = "ours"
SENTINELS_PASSWORD = "of sentinels"
SERVER = {
    **KEEPS_NOTHING,
    "masterauth": f'"{PASSWORD}"',
    "repl-diskless-sync-delay": 0,
}


def _sentinel(primary: int) -> dict[str, object]:
    return {
        "requirepass": f'"{SENTINELS_PASSWORD}"',
        f"sentinel monitor {SERVICE}": f"{ADDRESS} {primary} 1",
        f"sentinel auth-pass {SERVICE}": f'"{PASSWORD}"',
        f"sentinel down-after-milliseconds {SERVICE}": 500,
        f"sentinel failover-timeout {SERVICE}": 5000,
    }


class Watched:
    """``url`` names the sentinel."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._primary = contextlib.AsyncExitStack()
        self._ports = free_ports(3)
        theirs = SENTINELS_PASSWORD.replace(" ", "%20")
        self.url = (
            f"redis+sentinel://{LOGIN}{ADDRESS}:1,{ADDRESS}:{self._ports[2]}"
            f"/{SERVICE}/3?password={theirs}"
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Watched"]:
        primary, replica, sentinel = self._ports
        following = {**SERVER, "replicaof": f"{ADDRESS} {primary}"}
        async with contextlib.AsyncExitStack() as stack, self._primary:
            started = running(server(self._folder, primary, SERVER))
            await self._primary.enter_async_context(started)
            for program in (
                server(self._folder, replica, following),
                server(self._folder, sentinel, _sentinel(primary), "--sentinel"),
            ):
                await stack.enter_async_context(running(program))
            await until(self._is_watched)
            yield self

    async def stop_primary(self) -> None:
        await self._primary.aclose()

    async def _is_watched(self) -> bool:
        """The sentinel knows a replica that could take over."""
        with contextlib.suppress(OSError):
            async with Redis(
                host=ADDRESS, port=self._ports[2], password=SENTINELS_PASSWORD
            ) as sentinel:
                found = await sentinel.sentinel_slaves(SERVICE)
                return any(one["master-link-status"] == "ok" for one in found)
        return False
