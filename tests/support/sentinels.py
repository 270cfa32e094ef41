"""Two Valkeys, of which one follows the other, and a sentinel that watches them."""

import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

from redis.asyncio import Redis

from deploy.local.process import Program, running
from deploy.local.valkey import ADDRESS, installed
from tests.support.ports import free_ports
from tests.support.stack import until

SERVICE = "ours"
PASSWORD, SENTINELS_PASSWORD = "of servers", "of sentinels"
SERVER = f"""
    bind {ADDRESS}
    requirepass "{PASSWORD}"
    masterauth "{PASSWORD}"
    save ""
    repl-diskless-sync-delay 0
"""
SENTINEL = f"""
    bind {ADDRESS}
    requirepass "{SENTINELS_PASSWORD}"
    sentinel monitor {SERVICE} {ADDRESS} {{primary}} 1
    sentinel auth-pass {SERVICE} "{PASSWORD}"
    sentinel down-after-milliseconds {SERVICE} 500
    sentinel failover-timeout {SERVICE} 5000
"""


class Watched:
    """``url`` names the sentinel."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._primary = contextlib.AsyncExitStack()
        self._ports = free_ports(3)
        login = f":{PASSWORD}@".replace(" ", "%20")
        theirs = SENTINELS_PASSWORD.replace(" ", "%20")
        self.url = (
            f"redis+sentinel://{login}{ADDRESS}:1,{ADDRESS}:{self._ports[2]}"
            f"/{SERVICE}/3?password={theirs}"
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Watched"]:
        primary, replica, sentinel = self._ports
        following = f"{SERVER}\nreplicaof {ADDRESS} {primary}\n"
        watching = SENTINEL.format(primary=primary)
        async with contextlib.AsyncExitStack() as stack, self._primary:
            await self._primary.enter_async_context(self._server(primary, SERVER))
            await stack.enter_async_context(self._server(replica, following))
            await stack.enter_async_context(
                self._server(sentinel, watching, "--sentinel")
            )
            await until(self._is_watched)
            yield self

    async def stop_primary(self) -> None:
        await self._primary.aclose()

    @contextlib.asynccontextmanager
    async def _server(
        self, port: int, settings: str, *more: str
    ) -> AsyncIterator[None]:
        folder = self._folder / f"{port}"
        folder.mkdir(parents=True)
        file = folder / "settings.conf"
        lines = [f"port {port}", f'dir "{folder}"', *settings.split("\n")]
        file.write_text("\n".join(line.strip() for line in lines), "utf-8")
        program = Program(
            name="Valkey",
            command=(str(installed()), str(file), *more),
            environ={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            stop_signal=signal.SIGTERM,
            log=folder / "log",
            folder=folder,
        )
        async with running(program):
            yield

    async def _is_watched(self) -> bool:
        """The sentinel knows a replica that could take over."""
        with contextlib.suppress(OSError):
            async with Redis(
                host=ADDRESS, port=self._ports[2], password=SENTINELS_PASSWORD
            ) as sentinel:
                found = await sentinel.sentinel_slaves(SERVICE)
                return any(one["master-link-status"] == "ok" for one in found)
        return False
