"""Beside the database: its settings, its services, and ``/v1`` as this process answers
it."""

import asyncio
import contextlib
import getpass
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import TypeVar

import click

from control_plane.audit.log import acting
from control_plane.audit.model import Actor
from control_plane.base.faults import Away, Collided, Rejected
from control_plane.base.redis import BadUrl
from control_plane.base.refusals import Refusal
from control_plane.base.schema import MayNotMigrate
from control_plane.commands import asking
from control_plane.commands.asking import Json, Method
from control_plane.config.settings import Settings, SettingsError, load
from control_plane.ops.carrying import acted, read_body, read_params
from control_plane.ops.events import EventsApi
from control_plane.ops.routes import Call, Route
from control_plane.web import logs
from control_plane.web.address import Addresses
from control_plane.web.origin import Origins
from control_plane.wiring import operators
from control_plane.wiring.services import Services, services

T = TypeVar("T")

NOT_ELSEWHERE = (
    "This works beside the database only: leave out --server, or unset"
    " CONTROL_PLANE_SERVER."
)


def settings() -> Settings:
    if asking.server():
        raise click.ClickException(NOT_ELSEWHERE)
    try:
        return load()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def run(work: Callable[[Services], Awaitable[T]]) -> T:
    """Open the stores, do one thing, close them."""

    async def whole() -> T:
        async with _opened() as all_of_it:
            with acting(_who()):
                return await work(all_of_it)

    with explained():
        return asyncio.run(whole())


@contextlib.asynccontextmanager
async def _opened() -> AsyncIterator[Services]:
    logs.set_up("warning", readable=True)
    async with services(settings()) as all_of_it:
        yield all_of_it


def _who() -> Actor:
    try:
        return Actor("command", getpass.getuser())
    except (KeyError, OSError):  # a container's user may have no name
        return Actor("command", str(os.getuid()))


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """What the stores or the rules have against it, as a sentence."""
    try:
        yield
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence) from None
    except (BadUrl, MayNotMigrate) as error:
        raise click.ClickException(str(error)) from None
    except Rejected:
        raise click.ClickException("Something in this cannot be stored.") from None
    except (Away, Collided) as error:
        raise click.ClickException(f"Postgres does not answer: {error}") from None


@contextlib.asynccontextmanager
async def beside() -> AsyncIterator["Beside"]:
    with explained():
        async with _opened() as all_of_it:
            addresses = Addresses(all_of_it.settings.trusted_proxies)
            origins = Origins(addresses, all_of_it.settings.public_url)
            events = EventsApi(all_of_it.events.reading, all_of_it.events.tail)
            routes = operators.routes(all_of_it, events, origins)
            yield Beside({(one.method, one.path): one for one in routes})


class Beside:
    """Whoever is logged in here acts, and needs no token."""

    def __init__(self, routes: Mapping[tuple[str, str], Route]) -> None:
        self._routes = routes

    async def ask(self, method: Method, path: str, said: Json, once: str) -> Json:
        route = self._routes[method, path]
        in_path = set(route.in_path) if route.writes else set(said)
        given = {name: str(said[name]) for name in in_path}
        rest = {name: value for name, value in said.items() if name not in in_path}
        with explained():
            body = read_body(route, json.dumps(rest).encode())
            call = Call(read_params(route, given), body, None, once)
            _, answer = await acted(route, call, _who())
        found: Json = json.loads(answer or b"{}")
        return found
