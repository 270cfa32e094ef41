"""``/v1/keys``: giving stream keys out, taking them away, and putting others in their
place."""

from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

from control_plane.base.refusals import Refusal
from control_plane.live.model.overview import KeyRow
from control_plane.live.model.urls import publish_urls
from control_plane.live.service.lasting_keys import LastingKey, LastingKeys
from control_plane.live.service.overview import Overview
from control_plane.ops.routes import Because, Call, Name, Nothing, One, Route, Text
from control_plane.people.model.users import User
from control_plane.people.service.accounts import Accounts
from control_plane.people.service.directory import Directory


class Rotation(Because, forbid_unknown_fields=True, kw_only=True):
    """``overlap``: seconds that the old key opens its channel for. ``at_once``: it
    opens nothing any more, and whoever publishes with it is cut."""

    overlap: Annotated[int, Meta(ge=0, le=86_400)] = 3600
    at_once: bool = False


class NewKey(Because, forbid_unknown_fields=True, kw_only=True):
    """``username``: whose; with ``new`` an account is made where nobody has that name.
    ``channel``: its channel's name, where it has none yet. ``name``: of the key."""

    username: Name
    new: bool = False
    channel: Text = ""
    name: Text = ""


class ShownKey(Struct, frozen=True):
    """``key``: shown this once. ``rtmp_server``, ``stream_key``: OBS's two fields;
    without a server no node takes a broadcast."""

    id: int
    channel: str
    key: str
    rtmp_server: str
    stream_key: str


class KeysApi:
    def __init__(
        self,
        overview: Overview,
        directory: Directory,
        lasting_keys: LastingKeys,
        accounts: Accounts,
    ) -> None:
        self._accounts = accounts
        self._overview = overview
        self._directory = directory
        self._lasting_keys = lasting_keys

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/v1/keys", "keys", self.create),
            Route("POST", "/v1/keys/{id}/revoke", "keys", self.revoke),
            Route("POST", "/v1/keys/{id}/rotate", "keys", self.rotate),
        ]

    async def create(self, call: Call[Nothing, NewKey]) -> ShownKey:
        """Give out a lasting key for an encoder such as OBS."""
        said = call.body
        user = await self._directory.named(said.username)
        if user is None:
            if not said.new:
                raise Refusal("Nobody has this name.")
            user = await self._accounts.open(said.username)
        if user.gone:
            raise Refusal("This account is banned.")
        return await self._shown(
            await self._lasting_keys.create(user, said.name, said.channel)
        )

    async def revoke(self, call: Call[One, Because]) -> None:
        """Revoke a key; whoever publishes with it is cut."""
        key = await self._overview.key(call.params.id)
        await self._lasting_keys.revoke(await self._owner(key), key.id)

    async def rotate(self, call: Call[One, Rotation]) -> ShownKey:
        """Put another key in a lasting key's place."""
        said, key = call.body, await self._overview.key(call.params.id)
        if key.channel_id is None:
            raise Refusal("Only a channel's key has another put in its place.")
        owner = await self._owner(key)
        new = await self._lasting_keys.rotate(
            owner,
            key.id,
            timedelta(seconds=said.overlap),
            at_once=said.at_once,
            request=call.once,
        )
        return await self._shown(new)

    async def _shown(self, key: LastingKey) -> ShownKey:
        channel = key.channel
        node = await self._lasting_keys.node_of(channel.path, "")
        urls = publish_urls(node, "localhost", channel.path, key.key)
        return ShownKey(key.id, channel.name, key.key, urls.server, urls.stream_key)

    async def _owner(self, key: KeyRow) -> User:
        return await self._directory.get(key.user_id)
