"""Apps and encoders: hosts, viewers, givers, an operator. They ask again until they are
answered, as apps do, and stop doing new things when the world calms down."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from control_plane.base.faults import StoreFault
from control_plane.base.refusals import BadInput, Empty, Refusal, Unavailable
from control_plane.live.model.bans import Banned
from control_plane.live.model.rights import WatchTerms
from control_plane.live.model.starts import Start
from control_plane.live.service.broadcasts import Started
from control_plane.live.service.lasting_keys import LastingKey
from control_plane.live.service.rights import Whom
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.simulator.node import Connection, Denied, Node

if TYPE_CHECKING:
    from tests.simulator.world import World

T = TypeVar("T")
PATIENCE = 8.0  # seconds that an app waits for an answer
TICKET = 7  # coins
TERMS = (WatchTerms("token"), WatchTerms("paid", TICKET))


class Person:
    def __init__(self, world: "World", user: User) -> None:
        self.world = world
        self.chance = world.chance
        self.user = user

    async def live(self) -> None:
        """Until the world calms down."""

    async def insist(self, use: Callable[[Services], Awaitable[T]]) -> T:
        """Again and again until there is an answer. Raises Refusal."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    return await self.world.ask(use)
            except (OSError, TimeoutError, StoreFault, Unavailable):
                await asyncio.sleep(self.chance.uniform(0.2, 2.0))

    async def pause(self, seconds: float) -> bool:
        """About so long; False once nobody does anything new."""
        try:
            async with asyncio.timeout(self.chance.uniform(0.2, 2.0) * seconds):
                await self.world.calm.wait()
        except TimeoutError:
            return True
        return False

    async def encode(self, node: Node, path: str, key: str, comebacks: int) -> None:
        """An encoder that comes back by itself. What publishes when the world calms
        down goes on."""
        for _ in range(comebacks + 1):
            one = await self._publish(node, path, key)
            if one is None:
                return
            gone = asyncio.create_task(one.closed.wait())
            calm = asyncio.create_task(self.pause(8))
            await asyncio.wait([gone, calm], return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if calm.done() and not calm.result():
                return
            calm.cancel()
            await node.leave(one)
            if not await self.pause(1.5):
                return

    async def _publish(self, node: Node, path: str, key: str) -> Connection | None:
        for _ in range(4):
            try:
                return await node.publish(path, key)
            except (Denied, OSError):
                if not await self.pause(1.5):
                    return None
        return None


class Phone(Person):
    """Goes live from the app, sometimes from two phones at once."""

    async def live(self) -> None:
        while await self.pause(2):
            try:
                await self._broadcast()
            except Refusal:
                await self.pause(3)

    async def _broadcast(self) -> None:
        window = self.chance.choice([None, 2, 4])
        watch = self.chance.choice([None, *TERMS])
        started = await self._start(Start(reconnect_window=window, watch=watch))
        encoding = [self._encode(started)]
        if self.chance.random() < 0.3 and await self.pause(4):
            again = await self._start(Start(title="again"))
            encoding.append(self._encode(again))
        await asyncio.wait(encoding)
        if not self.world.calm.is_set() and self.chance.random() < 0.6:
            await self._end(started)

    async def _start(self, start: Start) -> Started:
        return await self.insist(lambda s: s.broadcasts.start(self.user, start))

    async def _end(self, started: Started) -> None:
        number = started.session.id
        await self.insist(lambda s: s.broadcasts.end_own(self.user, number))

    def _encode(self, started: Started) -> "asyncio.Task[None]":
        comebacks = self.chance.randrange(3)
        if self.chance.random() < 0.5:
            return asyncio.create_task(self._asks_where(started, comebacks))
        node = self.world.nodes[started.node.name]
        return asyncio.create_task(
            self.encode(node, started.session.path, started.key, comebacks)
        )

    async def _asks_where(self, started: Started, comebacks: int) -> None:
        """An app that asks again whenever its connection is lost."""
        for _ in range(comebacks + 1):
            node = self.world.nodes[started.node.name]
            await self.encode(node, started.session.path, started.key, 0)
            if self.world.calm.is_set():
                return
            try:
                started = await self._start(Start())
            except Refusal:
                return


class Studio(Person):
    """OBS on a channel, whose keys are rotated and revoked."""

    async def live(self) -> None:
        while await self.pause(2):
            try:
                await self._broadcast(await self._new_key())
            except (Refusal, BadInput):
                await self.pause(3)

    async def _new_key(self) -> LastingKey:
        return await self.insist(lambda s: s.lasting_keys.create(self.user, "obs", ""))

    async def _broadcast(self, key: LastingKey) -> None:
        node = self.world.some_node()
        path = key.channel.path
        running = asyncio.create_task(self.encode(node, path, key.key, 2))
        if await self.pause(5) and self.chance.random() < 0.5:
            at_once = self.chance.random() < 0.5
            overlap = timedelta(seconds=self.chance.choice([0, 5, 20]))
            key = await self.insist(
                lambda s: s.lasting_keys.rotate(
                    self.user, key.id, overlap, at_once=at_once
                )
            )
            node = self.world.some_node()
            other = asyncio.create_task(self.encode(node, path, key.key, 1))
            await asyncio.wait([other])
        await asyncio.wait([running])
        if not self.world.calm.is_set():
            await self.insist(lambda s: s.lasting_keys.revoke(self.user, key.id))


class Viewer(Person):
    async def live(self) -> None:
        while await self.pause(3):
            session = self.world.some_session()
            if session is not None:
                with contextlib.suppress(Refusal, Denied, OSError):
                    await self._watch(session.node, session.path)

    async def _watch(self, node_name: str, path: str) -> None:
        name, node = path.rpartition("/")[2], self.world.nodes[node_name]
        found = await self.insist(lambda s: s.watching.admit(name, self.user, ""))
        one = await node.watch(path, found.token)
        await self.pause(5)
        await node.leave(one)


class Fan(Person):
    """Watches until it is cut, also when the world has calmed down."""

    async def live(self) -> None:
        while await self.pause(2):
            session = self.world.some_session()
            if session is not None:
                with contextlib.suppress(Refusal, Denied, OSError):
                    await self._stay(session.node, session.path)

    async def _stay(self, node_name: str, path: str) -> None:
        name, node = path.rpartition("/")[2], self.world.nodes[node_name]
        found = await self.insist(lambda s: s.watching.admit(name, self.user, ""))
        one = await node.watch(path, found.token)
        ends = [self.world.spawn(end.wait()) for end in (one.closed, self.world.calm)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()


class Operator(Person):
    async def live(self) -> None:
        while await self.pause(6):
            session = self.world.some_session()
            what = self.chance.choice(
                [self._kick, self._ban, self._deny, self._set_policy, self._drain]
            )
            if session is not None:
                try:
                    await what(session.id, session.user_id)
                except (Refusal, Empty):
                    continue

    async def _kick(self, session_id: int, _: int) -> None:
        async def kick(s: Services) -> bool:
            return await s.moderation.kick(await s.broadcasts.get(session_id))

        await self.insist(kick)

    async def _ban(self, _: int, user_id: int) -> None:
        whom = Banned(user_id=user_id)
        await self.insist(lambda s: s.moderation.ban(whom, "spam"))
        if await self.pause(3):
            await self.insist(lambda s: s.moderation.unban(whom))

    async def _deny(self, session_id: int, _: int) -> None:
        """Somebody, or everybody who has a token."""
        fans = [0, *(fan.user.id for fan in self.world.fans)]
        whom = Whom(self.chance.choice(fans))
        await self.insist(lambda s: s.rights.deny(0, session_id, whom))

    async def _set_policy(self, session_id: int, _: int) -> None:
        terms = self.chance.choice(TERMS)
        await self.insist(lambda s: s.rights.set_policy(0, session_id, terms))

    async def _drain(self, _: int, __: int) -> None:
        name, now = self.world.some_node().name, self.chance.random() < 0.5
        await self.insist(
            lambda s: s.nodes.set_draining(name, draining=True, closed=now)
        )
        await self.pause(3)
        await self.insist(lambda s: s.nodes.set_draining(name, draining=False))
