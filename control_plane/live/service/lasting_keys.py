"""One's channel and its lasting keys, for encoders such as OBS."""

import re
from dataclasses import dataclass

from control_plane.base.database import Pool
from control_plane.base.faults import Taken
from control_plane.base.refusals import BadInput, Empty, Refusal
from control_plane.base.secrets import Derived
from control_plane.events.log import append_user_event
from control_plane.live.model.keys import (
    MOST_OF_CHANNEL,
    Channel,
    StreamKey,
    hash_key,
    hint,
    new_key,
)
from control_plane.live.model.nodes import Node
from control_plane.live.service.cutting import Cutter
from control_plane.live.service.nodes import Nodes
from control_plane.live.store import channels, keys, sessions
from control_plane.people.model.users import User

CHANNEL_NAME = re.compile(r"^[a-z][a-z0-9_-]{2,31}$")
LONGEST_NAME = 200  # characters


@dataclass(frozen=True, slots=True)
class LastingKey:
    id: int
    channel: Channel
    key: str  # shown this once


class LastingKeys:
    def __init__(
        self, pool: Pool, nodes: Nodes, cutter: Cutter, *, peppers: Derived
    ) -> None:
        self._pool = pool
        self._nodes = nodes
        self._cutter = cutter
        self._peppers = peppers

    async def create(self, user: User, name: str, channel_name: str) -> LastingKey:
        """The channel is made on first use."""
        if len(name) > LONGEST_NAME:
            raise BadInput("The name of the key is too long.")
        channel = await self._channel(user, channel_name)
        key = new_key()
        async with self._pool.transaction() as connection:
            await channels.lock(connection, channel.id)
            if len(await keys.channel_keys(connection, user.id)) >= MOST_OF_CHANNEL:
                raise Refusal(
                    f"A channel has at most {MOST_OF_CHANNEL} keys. Revoke one first."
                )
            key_id = await keys.add_channel_key(
                connection, channel, name, hash_key(self._peppers, key), hint(key)
            )
            data = {"key_id": key_id, "session_id": 0}
            await append_user_event(connection, user.id, "key.created", data)
        return LastingKey(key_id, channel, key)

    async def listing(self, user: User) -> list[StreamKey]:
        return await keys.channel_keys(self._pool, user.id)

    async def revoke(self, user: User, key_id: int) -> None:
        """From here on it opens nothing, and whoever publishes with it is cut."""
        async with self._pool.transaction() as connection:
            revoked = await keys.revoke(connection, user.id, key_id)
            if revoked is None:
                raise Empty
            if revoked.now:
                data = {"key_id": key_id, "session_id": revoked.session_id}
                await append_user_event(connection, user.id, "key.revoked", data)
        await self._cut_users_of_key(revoked.path, key_id)

    async def node_of(self, channel: Channel) -> Node:
        """Where an encoder of this channel should publish to."""
        session = await sessions.newest_at_path(self._pool, channel.path)
        if session is not None and session.is_open:
            return await self._nodes.get(session.node)
        return await self._nodes.least_busy(self._pool)

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
        try:
            await channels.create(self._pool, user.id, wanted)
        except Taken:
            if name:
                raise Refusal("This channel name isn't available.") from None
            await channels.create(self._pool, user.id, f"user-{user.id}")

    async def _cut_users_of_key(self, path: str, key_id: int) -> None:
        session = await sessions.newest_at_path(self._pool, path)
        if session is None or not session.is_open:
            return
        # None: nobody knows the key, or nobody publishes yet. With another valid one
        # an encoder comes back.
        if session.publisher_key_id in (key_id, None):
            await self._cutter.cut(session.node, path)


def _default_channel_name(user: User) -> str:
    name = user.username.lower()
    return name if CHANNEL_NAME.match(name) else f"user-{user.id}"
