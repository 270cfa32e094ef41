"""Which roles there are, and one of them as a process."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal

import structlog
import uvloop

from control_plane.base import traces
from control_plane.base.schema import Migrated, migrate
from control_plane.config.service import StoreSettings
from control_plane.config.settings import Settings
from control_plane.roles.api import api
from control_plane.roles.auth import auth
from control_plane.roles.parent import Ties
from control_plane.roles.sockets import Place, Sockets, port_of
from control_plane.roles.work import work
from control_plane.wiring.node_config import configured_node
from control_plane.wiring.services import services

log = structlog.get_logger(__name__)

RoleName = Literal["auth", "api", "work"]


@dataclass(frozen=True, slots=True)
class Role:
    name: RoleName
    places: tuple[Place, ...]
    serve: Callable[[Settings, Sockets], AbstractAsyncContextManager[None]]


ROLES: Mapping[RoleName, Role] = {
    "auth": Role("auth", ("internal",), auth),
    "api": Role("api", ("public", "api_metrics"), api),
    "work": Role("work", ("work_metrics", "operator"), work),
}


async def migrated(settings: StoreSettings, *, post: bool = False) -> Migrated:
    """What was missing in the database."""
    url = settings.direct_url
    owner = settings.migrations_url.get_secret_value()
    if owner:
        return await migrate(owner, service_url=url, post=post)
    return await migrate(url, post=post)


async def prepare(settings: Settings) -> None:
    """What every role relies on: the schema, and the node of the settings."""
    applied, waiting = await migrated(settings)
    for name in applied:
        log.info("migrated", migration=name)
    if waiting:
        log.info("migrations wait for `migrate --post`", migrations=waiting)
    if settings.node_name:
        async with services(settings) as all_of_it:
            await all_of_it.nodes.save(configured_node(settings))


def run(role: Role, settings: Settings, sockets: Sockets, ties: Ties | None) -> None:
    """Until SIGTERM or Ctrl-C, then it drains; or until the parent is gone."""
    with (
        traces.exported(role.name),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_until_stopped(role, settings, sockets, ties))


async def _until_stopped(
    role: Role, settings: Settings, sockets: Sockets, ties: Ties | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    if ties is None:
        loop.add_signal_handler(signal.SIGINT, stop.set)
    else:
        # As if all had been killed together: who follows needs the ports.
        loop.add_reader(ties.lifeline, os._exit, 1)
    async with role.serve(settings, sockets):
        ports = {place: port_of(sockets[place]) for place in role.places}
        log.info("serving", role=role.name, pid=os.getpid(), **ports)
        gc.freeze()  # what lives as long as the process halves the p99 otherwise
        if ties is not None:
            ties.ready()
        await stop.wait()
