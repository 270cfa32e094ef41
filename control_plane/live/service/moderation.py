"""Kicking and banning: denied first, then cut, and said when it is out."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from datetime import datetime, timedelta
from functools import partial

from control_plane.audit.log import acting, actor, record
from control_plane.audit.model import DEADLINE
from control_plane.base.batches import Reads
from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import BadInput, Empty, Refusal
from control_plane.base.secrets import Derived
from control_plane.base.tasks import Loop
from control_plane.events.log import append_ban_event, append_user_event
from control_plane.live.model.bans import (
    LONGEST_DEVICE,
    NOT_HERE,
    Ban,
    BanList,
    Banned,
    Client,
    mark,
    network,
)
from control_plane.live.model.credentials import viewer_token
from control_plane.live.model.nodes import Publisher, Reader
from control_plane.live.model.sessions import LiveSession
from control_plane.live.service.broadcasts import Broadcasts
from control_plane.live.service.cutting import Cutter, Owed
from control_plane.live.store import bans, channels, owed_cuts, sessions
from control_plane.people.store import users

LOOK_EVERY = 10.0  # seconds; who asks sees that a ban is over by its end
NEWEST = 2**31 - 1  # ids of bans
LONGEST_REASON = 1000  # characters


class Moderation:
    def __init__(
        self,
        pool: Pool,
        broadcasts: Broadcasts,
        cutter: Cutter,
        *,
        viewer_key: Derived,
    ) -> None:
        self._pool = pool
        self._broadcasts = broadcasts
        self._cutter = cutter
        self._viewer_key = viewer_key
        self._covered = Reads(partial(bans.covered, pool))

    async def kick(self, session: LiveSession) -> bool:
        """True once nobody publishes on its path."""
        return await self._broadcasts.end(session, "kicked")

    async def ban(
        self,
        whom: Banned,
        reason: str,
        *,
        end: datetime | timedelta | None = None,
    ) -> bool:
        """From here on they neither publish nor watch, and who does is cut; a user is
        signed out too. Again: the reason and the end are the new ones. ``end``: at a
        time, or so long from now; None: when it is lifted. True once they publish
        nowhere."""
        whom = _checked(whom)
        if len(reason) > LONGEST_REASON:
            raise BadInput(f"The reason has at most {LONGEST_REASON} characters.")
        async with self._pool.transaction() as connection:
            owed = await owed_cuts.owe(connection)
            await _ban(connection, whom, reason, await _ends_at(connection, end))
        out, _ = await asyncio.gather(
            self._cut_user(whom.user_id, owed), self._cut(whom, owed)
        )
        return out

    async def unban(self, whom: Banned) -> bool:
        """False when there was no such ban."""
        whom = _checked(whom)
        async with self._pool.transaction() as connection:
            ban_id = await bans.end(connection, whom)
            if ban_id is not None:
                await _ended(connection, ban_id, whom)
        return ban_id is not None

    async def bans(
        self, limit: int, *, everything: bool = False, before: int = NEWEST
    ) -> list[Ban]:
        """Newest first: those that count now, or all. ``before``: an id."""
        return await bans.listing(
            self._pool, everything=everything, before=before, limit=limit
        )

    async def check(self, client: Client) -> None:
        """Raises Refusal for one that is banned."""
        if await self._covered.get(client):
            raise Refusal(NOT_HERE)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Bans end by themselves."""
        async with Loop("bans", self.end_due, LOOK_EVERY).running():
            yield

    async def end_due(self) -> None:
        with acting(DEADLINE):
            while await self._end_due():
                pass

    async def _end_due(self) -> bool:
        """One in each transaction: the audit log is locked last."""
        async with self._pool.transaction() as connection:
            ban = await bans.end_due(connection)
            if ban is not None:
                await _ended(connection, ban.id, ban.whom)
        return ban is not None

    async def _cut_user(self, user_id: int, present: Iterable[str]) -> bool:
        """At the same time: a node that says nothing takes as long as it may."""
        session = await sessions.open_of_user(self._pool, user_id)
        channel = await channels.of_user(self._pool, user_id)
        cuts: list[Awaitable[bool]] = []
        if session is not None:
            cuts.append(self._broadcasts.end(session, "banned"))
        if channel is not None:
            # An encoder let in just before the ban, which no session shows yet.
            cuts += [self._cutter.cut(name, channel.path) for name in present]
        return all(await asyncio.gather(*cuts))

    async def _cut(self, whom: Banned, owed: Owed) -> None:
        """Whoever watches or publishes and falls under it."""
        listed = BanList.of(whom)
        publishing: set[str] = set()
        if whom.device:
            found = await bans.publishing(self._pool, mark(whom.device))
            publishing = {source_id for _, source_id in found}

        def publishes(one: Publisher) -> bool:
            known = one.source_id in publishing
            return known or listed.has_address(one.address, time.time())

        def watches(one: Reader) -> bool:
            token = viewer_token(self._viewer_key, one.query, one.path)
            return listed.covers(one.address, token, time.time())

        await self._cutter.cut_all(owed, publishes, watches)


def _checked(whom: Banned) -> Banned:
    """With its range in the one way to write it."""
    if sum(map(bool, (whom.user_id, whom.device, whom.network))) != 1:
        raise BadInput("A ban is of a user, of a device or of a range of addresses.")
    if len(whom.device) > LONGEST_DEVICE:
        raise BadInput(f"A device has at most {LONGEST_DEVICE} characters.")
    if not whom.network:
        return whom
    try:
        return Banned(network=network(whom.network))
    except ValueError:
        raise BadInput("This is no address, or too wide a range of them.") from None


async def _ends_at(
    connection: Connection, end: datetime | timedelta | None
) -> datetime | None:
    """By Postgres's clock, which says when it is over, too."""
    if end is None:
        return None
    now = await sessions.clock(connection)
    at = now + end if isinstance(end, timedelta) else end
    if at <= now:
        raise BadInput("A ban must end in the future.")
    return at


async def _ban(
    connection: Connection,
    whom: Banned,
    reason: str,
    ends_at: datetime | None,
) -> None:
    if whom.user_id and await users.get(connection, whom.user_id) is None:
        raise Empty("There is no such user.")
    ban_id = await bans.add(connection, whom, reason, str(actor() or ""), ends_at)
    if ban_id is None:
        return
    ends = "" if ends_at is None else ends_at.isoformat()
    data = {"reason": reason, "actor": str(actor() or ""), "ends_at": ends}
    if whom.user_id:
        await users.ban(connection, whom.user_id, reason)
        await append_user_event(connection, whom.user_id, "user.banned", data)
    else:
        data |= {"device": whom.device, "network": whom.network}
        await append_ban_event(connection, ban_id, "ban.made", data)
    await record(connection, *_act("banned", ban_id, whom), after=data)


async def _ended(connection: Connection, ban_id: int, whom: Banned) -> None:
    data = {"actor": str(actor() or "")}
    if whom.user_id:
        await users.unban(connection, whom.user_id)
        await append_user_event(connection, whom.user_id, "user.unbanned", data)
    else:
        await append_ban_event(connection, ban_id, "ban.ended", data)
    await record(connection, *_act("unbanned", ban_id, whom))


def _act(what: str, ban_id: int, whom: Banned) -> tuple[str, str]:
    """What it is called in the audit log, and its subject there."""
    if whom.user_id:
        return f"user.{what}", f"user/{whom.user_id}"
    return f"ban.{what}", f"ban/{ban_id}"
