"""What commands ask of ``/v1``: a server elsewhere with an operator's token, or this
process, which then answers as a server would, beside the database."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import click

T = TypeVar("T")
Json = dict[str, Any]
Method = Literal["GET", "POST", "DELETE"]

MOST = 500  # rows in an answer


class Carrier(Protocol):
    async def ask(self, method: Method, path: str, said: Json, once: str) -> Json:
        """``path``: as its route has it, with names that ``said`` fills; what else that
        says is the query or the body. ``once``: names the request, so that it counts
        once; empty: it has no name. Raises ClickException."""


@dataclass
class Asking:
    """One loop and one carrier for all that a command asks, made when it first does.
    ``server``: empty: beside the database."""

    server: str
    token_file: Path | None

    def run(self, work: Callable[[Carrier], Coroutine[Any, Any, T]]) -> T:
        runner, carrier = self._opened
        return runner.run(work(carrier))

    @cached_property
    def _opened(self) -> tuple[asyncio.Runner, Carrier]:
        root = click.get_current_context().find_root()
        runner = root.with_resource(asyncio.Runner())
        return runner, root.with_resource(_entered(runner, self._carrier()))

    def _carrier(self) -> AbstractAsyncContextManager[Carrier]:
        """Loaded where it is used: whoever asks a server needs none of the services."""
        if self.server:
            from control_plane.commands.remote import remote

            return remote(self.server, self.token_file)
        from control_plane.commands.beside import beside

        return beside()


@contextlib.contextmanager
def _entered(
    runner: asyncio.Runner, carrier: AbstractAsyncContextManager[Carrier]
) -> Iterator[Carrier]:
    stack = AsyncExitStack()
    entering = stack.enter_async_context(carrier)
    try:
        yield runner.run(entering)
    finally:
        runner.run(stack.aclose())


def get(path: str, **said: object) -> Json:
    return _ask("GET", path, said)


def post(path: str, *, once: str = "", **said: object) -> Json:
    return _ask("POST", path, said, once)


def delete(path: str, **said: object) -> Json:
    return _ask("DELETE", path, said)


def rows(path: str, limit: int, **said: object) -> list[Json]:
    """Of the list at a route, as many pages as it takes."""
    found: list[Json] = []
    after: str | None = ""
    while after is not None and len(found) < limit:
        page = get(path, limit=min(limit - len(found), MOST), after=after, **said)
        after = page["next"]
        [many] = [part for part in page.values() if isinstance(part, list)]
        found += many
    return found


def pause(seconds: float) -> None:
    """The connections are looked after meanwhile."""
    _asking().run(lambda _: asyncio.sleep(seconds))


def _ask(method: Method, path: str, said: Json, once: str = "") -> Json:
    given = {name: value for name, value in said.items() if value is not None}
    return _asking().run(lambda carrier: carrier.ask(method, path, given, once))


def _asking() -> Asking:
    found = click.get_current_context().find_object(Asking)
    if found is None:
        raise RuntimeError("This is a command of control-plane.")
    return found


def server() -> str:
    """Elsewhere, that is to be asked; empty: none, or no command runs."""
    context = click.get_current_context(silent=True)
    found = None if context is None else context.find_object(Asking)
    return "" if found is None else found.server
