"""All roles of the service in one process, for tests that look inside."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from control_plane.config.settings import Settings
from control_plane.roles.running import ROLES, prepare
from control_plane.roles.sockets import listening_at, port_of


@dataclass(frozen=True)
class Ports:
    """Where the listeners really are."""

    public: int
    internal: int
    api_metrics: int
    work_metrics: int
    operator: int


@contextlib.asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[Ports]:
    """Until the context ends; then it drains."""
    await prepare(settings)
    places = [place for role in ROLES.values() for place in role.places]
    async with contextlib.AsyncExitStack() as stack:
        sockets = stack.enter_context(listening_at(settings, places))
        for role in ROLES.values():
            await stack.enter_async_context(role.serve(settings, sockets))
        yield Ports(**{place: port_of(sockets[place]) for place in places})
