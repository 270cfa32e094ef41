"""How Postgres would find what a query asks for."""

from typing import Any

import asyncpg

from control_plane.base.database import Record


class Explaining:
    """An Executor that looks at the plan instead. ``generic``: at the one for any
    parameters, as it is for a query that is asked often; they are numbers then."""

    def __init__(
        self, connection: "asyncpg.Connection[Record]", *, generic: bool = False
    ) -> None:
        self._connection = connection
        self._generic = generic
        self.plan = ""

    async def fetch(self, query: str, *args: object) -> list[Record]:
        if self._generic:
            await self._connection.execute("SET plan_cache_mode = force_generic_plan")
            await self._connection.execute(f"PREPARE asked AS {query}")
            values = ", ".join(str(value) for value in args)
            query, args = f"EXECUTE asked ({values})", ()
        rows = await self._connection.fetch(f"EXPLAIN {query}", *args)
        self.plan = "\n".join(row[0] for row in rows)
        return []

    async def fetchrow(self, query: str, *args: object) -> Record | None:
        await self.fetch(query, *args)
        return None

    async def fetchval(self, query: str, *args: object) -> Any:
        await self.fetch(query, *args)

    async def execute(self, query: str, *args: object) -> str:
        await self.fetch(query, *args)
        return ""
