"""One's channel and its lasting keys, for encoders such as OBS."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from control_plane.audit.log import record
from control_plane.base.database import Connection, Pool
from control_plane.base.faults import Taken
from control_plane.base.refusals import BadInput, Empty, Refusal
from control_plane.base.secrets import Derived
from control_plane.events.log import append_user_event
from control_plane.live.model.keys import (
    MOST_OF_CHANNEL,
    Channel,
    StreamKey,
    Terms,
    all_hashes,
    hash_key,
    hint,
    new_key,
    requested_key,
)
from control_plane.live.model.nodes import Node
from control_plane.live.service.cutting import Cutter
from control_plane.live.service.nodes import Nodes
from control_plane.live.store import channels, keys, sessions
from control_plane.people.model.users import User

CHANNEL_NAME = re.compile(r"^[a-z][a-z0-9_-]{2,31}$")
LONGEST_NAME = 200  # characters
LONGEST_OVERLAP = timedelta(hours=24)
ALWAYS = Terms()


@dataclass(frozen=True, slots=True)
class LastingKey:
    id: int
    name: str
    channel: Channel
    key: str  # shown this once


class LastingKeys:
    def __init__(
        self,
        pool: Pool,
        nodes: Nodes,
        cutter: Cutter,
        *,
        peppers: Derived,
        requested: Derived,
    ) -> None:
        """``requested``: what keys are made from that may be asked for again."""
        self._requested = requested
        self._pool = pool
        self._nodes = nodes
        self._cutter = cutter
        self._peppers = peppers

    async def create(
        self,
        user: User,
        name: str,
        channel_name: str,
        terms: Terms = ALWAYS,
        device: str = "",
    ) -> LastingKey:
        """The channel is made on first use. ``device``: the mark of the one that
        asks."""
        if len(name) > LONGEST_NAME:
            raise BadInput("The name of the key is too long.")
        if not _comes_to_be(terms, datetime.now(UTC)):
            raise BadInput("closes_at must be in the future, and after opens_at.")
        channel = await self._channel(user, channel_name)
        async with self._pool.transaction() as connection:
            await channels.lock(connection, channel.id)
            await _check_room(connection, user, MOST_OF_CHANNEL)
            made = await self._add(
                connection, user, channel, name, terms, device, new_key()
            )
            after = {"user_id": user.id, "channel": channel.name}
            await record(connection, "key.created", f"key/{made.id}", after=after)
        return made

    async def rotate(
        self,
        user: User,
        key_id: int,
        overlap: timedelta,
        *,
        at_once: bool,
        request: str = "",
    ) -> LastingKey:
        """Another key in this one's place, of the same name and terms. The old one
        opens the channel for ``overlap`` more, and whoever publishes with it goes on;
        or, ``at_once``, it is revoked as with :meth:`revoke`. ``request``: its name for
        whoever asks; the same once more gets the same key."""
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise BadInput("overlap must be 0 to 86400 seconds.")
        channel = await channels.of_user(self._pool, user.id)
        if channel is None:
            raise Empty
        async with self._pool.transaction() as connection:
            await channels.lock(connection, channel.id)
            texts = [
                requested_key(secret, key_id, request) for secret in self._requested
            ]
            new = await self._rotated(connection, channel, key_id, texts)
            if new is None:
                text = texts[0] if request else new_key()
                ends = timedelta(0) if at_once else overlap
                new = await self._rotate(connection, user, channel, key_id, text, ends)
            if at_once:
                await _revoke(connection, user, key_id)
        if at_once:
            await self._cut_users_of_key(channel.path, key_id)
        return new

    async def listing(self, user: User) -> list[StreamKey]:
        return await keys.channel_keys(self._pool, user.id)

    async def revoke(self, user: User, key_id: int) -> None:
        """From here on it opens nothing, and whoever publishes with it is cut."""
        async with self._pool.transaction() as connection:
            path = await _revoke(connection, user, key_id)
        await self._cut_users_of_key(path, key_id)

    async def node_of(self, path: str, region: str) -> Node | None:
        """Where an encoder of this channel should publish to now. None: no node takes
        a broadcast."""
        session = await sessions.newest_at_path(self._pool, path)
        is_open = session is not None and session.is_open
        node = await self._nodes.get(session.node) if session and is_open else None
        async with self._pool.transaction() as connection:
            if node is None:
                return await self._nodes.find_origin(connection, region)
            return await self._nodes.goes_on_at(connection, node, region)

    async def _rotated(
        self,
        connection: Connection,
        channel: Channel,
        key_id: int,
        texts: Sequence[str],
    ) -> LastingKey | None:
        """By the same request before."""
        found = await keys.replacement(connection, channel.user_id, key_id)
        for text in texts:
            if found and found.hash in all_hashes(self._peppers, [text]):
                return LastingKey(found.id, found.name, channel, text)
        return None

    async def _rotate(
        self,
        connection: Connection,
        user: User,
        channel: Channel,
        key_id: int,
        text: str,
        overlap: timedelta,
    ) -> LastingKey:
        await _check_room(connection, user, MOST_OF_CHANNEL + 1)
        old = await _rotatable(connection, user, key_id)
        terms = Terms(old.opens_at, old.closes_at, old.one_shot)
        new = await self._add(
            connection, user, channel, old.name, terms, old.device, text
        )
        until = await keys.rotate(connection, key_id, new.id, overlap)
        data = {"key_id": key_id, "new_key_id": new.id, "until": until.isoformat()}
        await append_user_event(connection, user.id, "key.rotated", data)
        after = {"user_id": user.id, "new_key_id": new.id, "until": until}
        await record(connection, "key.rotated", f"key/{key_id}", after=after)
        return new

    async def _add(
        self,
        connection: Connection,
        user: User,
        channel: Channel,
        name: str,
        terms: Terms,
        device: str,
        key: str,
    ) -> LastingKey:
        hashed = hash_key(self._peppers, key)
        key_id = await keys.add_channel_key(
            connection, channel, name, hashed, hint(key), terms, device
        )
        data = {"key_id": key_id, "session_id": 0}
        await append_user_event(connection, user.id, "key.created", data)
        return LastingKey(key_id, name, channel, key)

    async def _channel(self, user: User, name: str) -> Channel:
        channel = await channels.of_user(self._pool, user.id)
        if channel is None:
            await self._create_channel(user, name)
            channel = await channels.of_user(self._pool, user.id)
        if channel is None:
            raise Empty
        if name not in ("", channel.name):
            raise Refusal(f"Your channel's name is {channel.name}.")
        return channel

    async def _create_channel(self, user: User, name: str) -> None:
        wanted = name or _default_channel_name(user)
        if not CHANNEL_NAME.match(wanted):
            raise BadInput(
                "A channel's name is 3 to 32 lower-case letters, digits, _ or -,"
                " and starts with a letter."
            )
        if await self._has_channel(user, wanted):
            return
        if name:
            raise Refusal("This channel name isn't available.")
        await self._has_channel(user, f"user-{user.id}")

    async def _has_channel(self, user: User, name: str) -> bool:
        """With that name, or one that a call beside this has just made."""
        try:
            await channels.create(self._pool, user.id, name)
        except Taken:
            return await channels.of_user(self._pool, user.id) is not None
        return True

    async def _cut_users_of_key(self, path: str, key_id: int) -> None:
        session = await sessions.newest_at_path(self._pool, path)
        if session is None or not session.is_open:
            return
        # None: nobody knows the key, or nobody publishes yet. With another valid one
        # an encoder comes back.
        if session.publisher_key_id in (key_id, None):
            await self._cutter.cut(session.node, path)


async def _check_room(connection: Connection, user: User, most: int) -> None:
    if await keys.count_usable(connection, user.id) >= most:
        raise Refusal(
            f"A channel has at most {MOST_OF_CHANNEL} keys. Revoke one first."
        )


async def _revoke(connection: Connection, user: User, key_id: int) -> str:
    """Its path."""
    revoked = await keys.revoke(connection, user.id, key_id)
    if revoked is None:
        raise Empty
    if revoked.now:
        data = {"key_id": key_id, "session_id": revoked.session_id}
        await append_user_event(connection, user.id, "key.revoked", data)
        after = {"user_id": user.id, "session_id": revoked.session_id}
        await record(connection, "key.revoked", f"key/{key_id}", after=after)
    return revoked.path


async def _rotatable(connection: Connection, user: User, key_id: int) -> StreamKey:
    known = await keys.channel_keys(connection, user.id)
    old = next((key for key in known if key.id == key_id), None)
    if old is None:
        raise Empty
    if old.state(datetime.now(UTC)) not in ("open", "scheduled"):
        raise Refusal("This key was rotated, or is over.")
    return old


def _comes_to_be(terms: Terms, now: datetime) -> bool:
    if terms.closes_at is None:
        return True
    return terms.closes_at > max(now, terms.opens_at or now)


def _default_channel_name(user: User) -> str:
    name = user.username.lower()
    return name if CHANNEL_NAME.match(name) else f"user-{user.id}"
