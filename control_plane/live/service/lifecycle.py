"""What happens to a live session: its publisher comes, goes, and it ends.

Hooks and the reconciler both call these; each change is made once, by whoever's
UPDATE changes the row, and writes its event in the same transaction.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog

from control_plane.audit.log import record
from control_plane.base.database import Connection, Pool
from control_plane.base.faults import Taken
from control_plane.events.log import append_session_event
from control_plane.events.model import EventType
from control_plane.live.model.keys import Channel
from control_plane.live.model.sessions import (
    CLOSED_AFTER_SECONDS,
    EndReason,
    LiveSession,
    Status,
)
from control_plane.live.service import key_events
from control_plane.live.store import channels, grants, keys, openings, sessions
from control_plane.live.store.grants import Grant

log = structlog.get_logger(__name__)

#: ``nothing``: known already or out of date. ``refused``: it may not be there.
Outcome = Literal["started", "resumed", "replaced", "nothing", "refused"]

#: What a session's old status makes of a publisher that is there now.
BECAME_LIVE: Mapping[Status, tuple[Outcome, EventType]] = {
    "created": ("started", "live.started"),
    "reconnecting": ("resumed", "live.resumed"),
    "live": ("replaced", "live.publisher_replaced"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """A publisher as a node names it."""

    node: str
    path: str
    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Spans:
    """How long a session may wait for its publisher, and last."""

    reconnect_window: int  # seconds
    longest: timedelta
    #: A session without a picture that was used within this time does not expire; zero
    #: where only a picture counts.
    used_within: timedelta = timedelta(0)


class Lifecycle:
    def __init__(self, pool: Pool, spans: Spans) -> None:
        self._pool = pool
        self.spans = spans

    async def ready(
        self, source: Source, *, listed_at: datetime | None = None
    ) -> Outcome:
        """The path has a picture. ``listed_at``: the node's own list says so, which
        stands above any message; when it was asked for, by Postgres's clock."""
        for _ in range(3):
            try:
                async with self._pool.transaction() as connection:
                    return await self._ready(connection, source, listed_at)
            except Taken:
                continue  # somebody opened a session at the same moment: look again
        return "nothing"

    async def not_ready(self, source: Source) -> bool:
        """Its publisher went. True when that made a session reconnecting."""
        async with self._pool.transaction() as connection:
            # Its ``ready`` may be on the way: after that, or before.
            await _held(connection, source.path)
            await grants.end(connection, source.node, source.id, source.path)
            session = await sessions.make_reconnecting(
                connection, source.node, source.path, source.id
            )
            if session is None or session.reconnect_until is None:
                return False
            until = session.reconnect_until.isoformat()
            await append_session_event(
                connection, session.id, "live.reconnecting", {"until": until}
            )
        log.info("reconnecting", session=session.id, until=until)
        return True

    async def end(self, session: LiveSession, reason: EndReason) -> bool:
        """True when this call ended it. Ended is final."""
        async with self._pool.transaction() as connection:
            return await self._end(connection, session, reason)

    async def end_overdue(self, seen: LiveSession, reason: EndReason) -> bool:
        """End what had passed a deadline when it was read. True when this call ended
        it; what has come back, or was given more time, since then stays."""
        async with self._pool.transaction() as connection:
            return await self._end_as_seen(connection, seen, reason)

    async def _ready(
        self, connection: Connection, source: Source, listed_at: datetime | None
    ) -> Outcome:
        listed = listed_at is not None
        # Both locks are always taken in this order: the session's, then the grant's.
        session = await _held(connection, source.path)
        grant = (await grants.of(connection, source.node, [source.id])).get(source.id)
        if listed and await _has_moved(connection, session, source, grant):
            return "refused"  # two nodes may list one each
        if grant is not None and grant.ended_at is not None:
            if listed_at is None or grant.just_ended or grant.ended_at >= listed_at:
                return "nothing"
            await grants.reopen(connection, source.node, source.id)
        if grant is not None and grant.key_is_dead:
            return "refused"
        if session is None:
            return await self._open_on_channel(connection, source, grant)
        if session.status == "live":
            if (session.node, session.publisher_id) == (source.node, source.id):
                await _learn_key(connection, session, grant)
                return "nothing"
            current = await _grant_of_publisher(connection, session)
            if not listed and not _is_later(grant, current):
                return "nothing"
        return await self._go_live(connection, session, source, grant)

    async def _go_live(
        self,
        connection: Connection,
        session: LiveSession,
        source: Source,
        grant: Grant | None,
    ) -> Outcome:
        key_id = None if grant is None else grant.key_id
        changed = await sessions.make_live(
            connection,
            session.id,
            session.status,
            node=source.node,
            publisher_type=source.type,
            publisher_id=source.id,
            key_id=key_id,
        )
        if not changed:
            return "nothing"
        if session.publisher_id is not None and session.node != source.node:
            # What its old node says of it late must not bring it back.
            old_node, old_source = session.node, session.publisher_id
            await grants.end(connection, old_node, old_source, session.path)
        if key_id is not None:
            await _mark_published(connection, session, key_id)
        outcome, kind = BECAME_LIVE[session.status]
        data = _published(source, key_id)
        await append_session_event(connection, session.id, kind, data)
        log.info(kind, session=session.id, node=source.node)
        return outcome

    async def _open_on_channel(
        self, connection: Connection, source: Source, grant: Grant | None
    ) -> Outcome:
        channel = await channels.at_path(connection, source.path)
        if channel is None or channel.banned or await _is_closed(connection, channel):
            return "refused"
        if grant is not None and grant.key_is_spent:
            return "refused"
        other = await sessions.open_of_user(connection, channel.user_id)
        if other is not None:
            await self._end(connection, other, "superseded")
        key_id = None if grant is None else grant.key_id
        session_id, terms = await openings.live_on_channel(
            connection,
            channel_id=channel.id,
            node=source.node,
            publisher_type=source.type,
            publisher_id=source.id,
            key_id=key_id,
            reconnect_window=self.spans.reconnect_window,
            longest=self.spans.longest,
        )
        if key_id is not None:
            await keys.mark_published(connection, key_id, session_id)
        data = {**_published(source, key_id), "channel": channel.name}
        await append_session_event(connection, session_id, "live.started", data)
        if terms.policy != "default":
            watch = asdict(terms)
            await append_session_event(connection, session_id, "live.policy", watch)
        log.info("live.started", session=session_id, channel=channel.name)
        return "started"

    async def _end(
        self, connection: Connection, session: LiveSession, reason: EndReason
    ) -> bool:
        current: LiveSession | None = session
        while current is not None and current.is_open:
            if await self._end_as_seen(connection, current, reason):
                return True
            # It moved on between two looks, from live to reconnecting perhaps.
            current = await sessions.get(connection, current.id)
        return False

    async def _end_as_seen(
        self, connection: Connection, session: LiveSession, reason: EndReason
    ) -> bool:
        if not await sessions.make_ended(connection, session, reason):
            return False
        if session.channel_id is not None:
            await sessions.leave_path(connection, session.id)
        seconds = CLOSED_AFTER_SECONDS.get(reason)
        if session.channel_id is not None and seconds is not None:
            await channels.close(connection, session.channel_id, seconds)
        kind: EventType = "live.expired" if reason == "expired" else "live.ended"
        await append_session_event(connection, session.id, kind, {"reason": reason})
        await record(
            connection,
            "session.ended",
            f"session/{session.id}",
            before={"status": session.status},
            after={"reason": reason},
        )
        log.info(kind, session=session.id, reason=reason)
        return True


async def _held(connection: Connection, path: str) -> LiveSession | None:
    """The open session there; where there is none, nobody opens one beside this."""
    session = await sessions.open_at_path(connection, path)
    if session is None:
        await sessions.lock_path(connection, path)
        session = await sessions.open_at_path(connection, path)
    return session


def _published(source: Source, key_id: int | None) -> dict[str, object]:
    return {"node": source.node, "type": source.type, "key_id": key_id or 0}


async def _learn_key(
    connection: Connection, session: LiveSession, grant: Grant | None
) -> None:
    """Its permission may be written after its publisher was seen."""
    if grant is None or grant.key_id is None or session.publisher_key_id is not None:
        return
    await sessions.learn_key(connection, session.id, grant.key_id)
    await _mark_published(connection, session, grant.key_id)


async def _mark_published(
    connection: Connection, session: LiveSession, key_id: int
) -> None:
    old = await keys.mark_published(connection, key_id, session.id)
    await key_events.superseded(connection, session.user_id, session.id, old)


async def _is_closed(connection: Connection, channel: Channel) -> bool:
    return (
        channel.closed_until is not None
        and channel.closed_until > await sessions.clock(connection)
    )


async def _has_moved(
    connection: Connection,
    session: LiveSession | None,
    source: Source,
    grant: Grant | None,
) -> bool:
    """To a node that let a publisher in later."""
    if session is None or session.status != "live" or session.node == source.node:
        return False
    return _is_later(await _grant_of_publisher(connection, session), grant)


async def _grant_of_publisher(
    connection: Connection, session: LiveSession
) -> Grant | None:
    if session.publisher_id is None:
        return None
    known = await grants.of(connection, session.node, [session.publisher_id])
    return known.get(session.publisher_id)


def _is_later(one: Grant | None, other: Grant | None) -> bool:
    """Messages arrive in any order; the later permission is the later publisher. False
    where one is not known."""
    return one is not None and other is not None and other.granted_at < one.granted_at
