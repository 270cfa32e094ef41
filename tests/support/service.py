"""The roles of the service in one process, for tests that look inside."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from control_plane.config.settings import Settings
from control_plane.roles.running import ROLES, RoleName, prepare
from control_plane.roles.sockets import listening_at, port_of


@dataclass(frozen=True)
class Ports:
    """Where the listeners really are; 0: nowhere, since the role does not run."""

    public: int = 0
    internal: int = 0
    api_metrics: int = 0
    work_metrics: int = 0
    operator: int = 0


ALL: Sequence[RoleName] = tuple(ROLES)


@contextlib.asynccontextmanager
async def serve(
    settings: Settings, wanted: Sequence[RoleName] = ALL
) -> AsyncIterator[Ports]:
    """Until the context ends; then it drains."""
    await prepare(settings)
    roles = [ROLES[name] for name in wanted]
    places = [place for role in roles for place in role.places]
    async with contextlib.AsyncExitStack() as stack:
        sockets = stack.enter_context(listening_at(settings, places))
        for role in roles:
            await stack.enter_async_context(role.serve(settings, sockets))
        yield Ports(**{place: port_of(sockets[place]) for place in places})
