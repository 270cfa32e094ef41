"""The processes of the service, wired as its roles are, without their listeners."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Literal, TypeVar

from control_plane.base.faults import StoreFault
from control_plane.config.settings import Settings
from control_plane.live.service.grants import Grants
from control_plane.live.service.permissions import Permissions
from control_plane.roles import auth, work
from control_plane.wiring.services import Services, services
from hooks.listener import Listener
from hooks.messages import Answer, Request
from tests.simulator.loop import Process
from tests.simulator.network import Wire

if TYPE_CHECKING:
    from tests.simulator.world import World

Role = Literal["auth", "api", "work"]
T = TypeVar("T")

ROUND = 4.0  # seconds between the starts of two
SECRET = "a secret of the simulated service"
SETTINGS = Settings.model_validate(
    {
        "DATABASE_URL": "postgresql://simulated",
        "REDIS_URL": "redis://simulated",
        "env": "development",
        "secret": SECRET,
        "node_name": "",
        "reconcile_seconds": ROUND,
        "reconnect_seconds": 6,
        "first_publish_seconds": 20,
        "heartbeat_seconds": 16.0,
        "ledger_check_seconds": 0.0,
        "playback": "token",
        "rights_seconds": 8.0,
        "unwatched_ticket_hours": 0.003,
    }
)


class Plane:
    """One process, from start to kill to the next start."""

    def __init__(self, world: "World", role: Role, number: int) -> None:
        self.name = f"{role}-{number}"
        self.role = role
        self._world = world
        self._starts = 0
        self.busy = False  # with a fault
        self.process: Process | None = None
        self.services: Services | None = None
        self.listener: Listener | None = None
        self.wire = Wire(self.name, world.chance, 0.0002, 0.001)

    @property
    def up(self) -> bool:
        return self.services is not None

    def start(self) -> None:
        self._starts += 1
        self.process = Process(self._world.loop, f"{self.name}.{self._starts}")
        self._serving = self.process.spawn(self._until_stopped())

    def kill(self) -> None:
        assert self.process is not None
        self.services = self.listener = None
        self.process.kill()

    async def stop(self) -> None:
        """As SIGTERM does: it drains."""
        self.services = self.listener = None
        self._serving.cancel()
        await asyncio.wait([self._serving])

    async def ask(self, use: Callable[[Services], Awaitable[T]]) -> T:
        """A request of an app or an operator. Raises OSError when it, or its answer,
        is lost."""
        found, process = self.services, self.process
        if found is None or process is None:
            raise ConnectionRefusedError(self.name)
        await self.wire.travel()
        answer = await process.call(_used(use, found))
        await self.wire.travel()
        return answer

    async def answer(self, request: Request) -> int:
        """To a node; the status."""
        listener, process = self.listener, self.process
        if listener is None or process is None:
            raise ConnectionRefusedError(self.name)
        await self.wire.travel()
        began = self._world.loop.time()
        answer = await process.call(_answered(listener, request))
        if request.path.endswith(b"/auth") and process.went_on_at < began:
            self._world.oracle.took(self.name, self._world.loop.time() - began)
        await self.wire.travel()
        return answer.status

    async def _until_stopped(self) -> None:
        """Its parent starts it again until it comes up."""
        while True:
            try:
                async with services(SETTINGS) as found, self._parts(found):
                    self.services = found
                    await asyncio.Event().wait()
            except (StoreFault, OSError):
                await asyncio.sleep(1.0)

    def _parts(self, found: Services) -> contextlib.AbstractAsyncContextManager[None]:
        if self.role == "auth":
            return self._auth(found)
        if self.role == "work":
            return self._work(found)
        return contextlib.nullcontext()

    @contextlib.asynccontextmanager
    async def _auth(self, found: Services) -> AsyncIterator[None]:
        permissions = Permissions(found.reserved, "postgresql://simulated")
        grants = Grants(found.reserved)
        listener = auth.gate(found, permissions, grants)
        nodes = auth.KnownNodes(found.nodes, listener)
        permissions.on_nodes_changed(nodes.changed)
        async with (
            nodes.running(),
            permissions.running(),
            grants.running(),
            found.hints.running(),
        ):
            self.listener = listener
            yield

    @contextlib.asynccontextmanager
    async def _work(self, found: Services) -> AsyncIterator[None]:
        events = found.events
        async with (
            found.attendance.running(),
            found.heartbeats.running(),
            found.looking_again.running(),
            found.moderation.running(),
            found.owed_cuts.running(),
            found.tickets.running(),
            events.tail.running(1.0),
            events.delivery.running(),
            work.owner(found).running(),
        ):
            yield


async def _used(use: Callable[[Services], Awaitable[T]], found: Services) -> T:
    return await use(found)


async def _answered(listener: Listener, request: Request) -> Answer:
    given = listener.answer(request)
    answer = given if isinstance(given, Answer) else await given
    if answer.after is not None:
        answer.after()
    return answer
