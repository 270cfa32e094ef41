"""While nothing fails, whoever is cut is gone within two seconds."""

import asyncio
from typing import TYPE_CHECKING

from control_plane.live.model.bans import Banned
from control_plane.live.service.rights import Whom
from control_plane.wiring.services import Services
from tests.simulator.node import SEGMENT
from tests.simulator.oracle import Session

if TYPE_CHECKING:
    from tests.simulator.world import World

WITHIN = 2.0  # seconds


async def acts_in_time(world: "World") -> None:
    """One act on each that is live, and only viewers that are denied may be left."""
    for session in list(world.oracle.sessions.values()):
        if session.status == "live":
            if world.chance.random() < 0.5:
                await _viewers_are_cut(world, session)
            await _publisher_is_cut(world, session)


async def _viewers_are_cut(world: "World", session: Session) -> None:
    """A node that lists no HLS viewers refuses them their next segment."""
    node, path = world.nodes[session.node], session.path
    bound = world.loop.time() + WITHIN + (SEGMENT if node.old else 0)
    everybody = Whom()
    await world.reader.insist(lambda s: s.rights.deny(0, session.id, everybody))
    await asyncio.sleep(bound - world.loop.time())
    left = [one.id for one in node.viewers.values() if one.path == path]
    world.oracle.check(not left, f"{left} watch {path} 2 s after they were denied")


async def _publisher_is_cut(world: "World", session: Session) -> None:
    what = world.chance.choice(("kick", "ban", "end", "revoke"))
    bound = world.loop.time() + WITHIN
    await world.reader.insist(lambda s: _act(world, s, what, session))
    await asyncio.sleep(bound - world.loop.time())
    there = session.path in world.nodes[session.node].paths
    world.oracle.check(not there, f"{session.path} is there 2 s after its {what}")


async def _act(world: "World", s: Services, what: str, session: Session) -> None:
    found = await s.broadcasts.get(session.id)
    (host,) = [one.user for one in world.people if one.user.id == session.user_id]
    if what == "ban":
        await s.moderation.ban(Banned(user_id=host.id), "spam")
    elif what == "revoke" and found.channel_id and found.publisher_key_id:
        await s.lasting_keys.revoke(host, found.publisher_key_id)
    elif what == "end":
        await s.broadcasts.end_own(host, session.id)
    else:
        await s.moderation.kick(found)
