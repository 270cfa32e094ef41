"""A Postgres and a standby that streams from it, each behind a port of its own."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from deploy.local import account, postgres
from deploy.local.place import DATABASE, OWNER, Place, find_place
from deploy.local.process import Program, running
from tests.support.relay import by_port

REPLICATION = "local replication all trust\nlocal all all peer map=us\n"


class Pair:
    """``url`` names both, ``primary`` and ``standby`` are as they were at the start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.primary, self.standby = (find_place(folder / name) for name in "ab")
        self._running = contextlib.AsyncExitStack()
        self.url = self.standby_first = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Pair"]:
        rules = self._folder / "replication.conf"
        rules.write_text(REPLICATION, "utf-8")
        rules.chmod(0o644)
        async with contextlib.AsyncExitStack() as stack, self._running:
            hosts = [
                await stack.enter_async_context(by_port(place.urls.owner))
                for place in (self.primary, self.standby)
            ]
            await self._running.enter_async_context(self._server("a", rules))
            await self._copy()
            await stack.enter_async_context(self._server("b", rules))
            one, two = (f"127.0.0.1:{urlsplit(host).port}" for host in hosts)
            login = f"{OWNER}:p%40ss"  # nobody is asked for it
            rest = f"{DATABASE}?sslmode=disable"
            self.url = f"postgresql://{login}@{one},{two}/{rest}"
            self.standby_first = f"postgresql://{login}@{two},{one}/{rest}"
            yield self

    def _server(
        self, name: str, rules: Path
    ) -> contextlib.AbstractAsyncContextManager[object]:
        settings = {"hba_file": str(rules)}
        return postgres.server(self._folder / name, durable=False, settings=settings)

    async def _copy(self) -> None:
        place = self.standby
        account.make_private(place.cluster, place.account)
        program = Program(
            name="pg_basebackup",
            command=(
                *(str(place.programs / "pg_basebackup"), "-D", str(place.cluster)),
                *("-h", str(self.primary.sockets), "-U", "postgres"),
                *("--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
            ),
            environ=postgres.ENVIRON,
            account=place.account,
            log=self._folder / "copy.log",
            folder=place.home,
        )
        async with running(program) as child:
            assert await child.wait() == 0, child.obituary()

    async def stop_primary(self) -> None:
        """In order: the standby has all of it."""
        await self._running.aclose()

    async def demote_primary(self) -> None:
        """It runs on, and connections to it stay."""
        await _say(self.primary, "ALTER SYSTEM SET default_transaction_read_only = on")
        await _say(self.primary, "SELECT pg_reload_conf()")

    async def promote(self) -> None:
        await _say(self.standby, "SELECT pg_promote()")


async def _say(place: Place, statement: str) -> None:
    connection = await asyncpg.connect(place.url("postgres", "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
