"""``/v1/keys``: taking stream keys away, and putting others in their place."""

from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

from control_plane.base.refusals import Refusal
from control_plane.live.model.overview import KeyRow
from control_plane.live.service.lasting_keys import LastingKeys
from control_plane.live.service.overview import Overview
from control_plane.ops.routes import Because, Call, One, Route
from control_plane.people.model.users import User
from control_plane.people.service.directory import Directory


class Rotation(Because, forbid_unknown_fields=True, kw_only=True):
    """``overlap``: seconds that the old key opens its channel for. ``at_once``: it
    opens nothing any more, and whoever publishes with it is cut."""

    overlap: Annotated[int, Meta(ge=0, le=86_400)] = 3600
    at_once: bool = False


class Rotated(Struct, frozen=True):
    """``key``: shown this once."""

    id: int
    channel: str
    key: str


class KeysApi:
    def __init__(
        self, overview: Overview, directory: Directory, lasting_keys: LastingKeys
    ) -> None:
        self._overview = overview
        self._directory = directory
        self._lasting_keys = lasting_keys

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/v1/keys/{id}/revoke", "keys", self.revoke),
            Route("POST", "/v1/keys/{id}/rotate", "keys", self.rotate),
        ]

    async def revoke(self, call: Call[One, Because]) -> None:
        """Revoke a key; whoever publishes with it is cut."""
        key = await self._overview.key(call.params.id)
        await self._lasting_keys.revoke(await self._owner(key), key.id)

    async def rotate(self, call: Call[One, Rotation]) -> Rotated:
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
        return Rotated(new.id, new.channel.name, new.key)

    async def _owner(self, key: KeyRow) -> User:
        return await self._directory.get(key.user_id)
