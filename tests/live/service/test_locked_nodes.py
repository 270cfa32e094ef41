"""Whoever starts broadcasts holds the rows of their nodes, in any order: who waited for
them, one after another, would stand in their way."""

from dataclasses import replace
from datetime import timedelta

from control_plane.base.database import Pool
from control_plane.live.store import nodes
from control_plane.wiring.services import Services

#: As a foreign key that refers to it does.
HELD = "SELECT FROM nodes WHERE name = 'other' FOR KEY SHARE"


async def test_a_start_holds_up_nobody_who_looks_after_its_node(
    opened: Services, pool: Pool
) -> None:
    local = await opened.nodes.get("local")
    await opened.nodes.save(replace(local, name="other"))
    async with pool.transaction() as starting:
        await starting.execute(HELD)
        assert await nodes.take_leases(pool, "me") == {"local", "other"}
        assert await opened.nodes.heard("other", "at noon") is False
        assert await opened.nodes.unheard("other", timedelta(0)) is True
        await opened.nodes.set_draining("other", draining=True)
