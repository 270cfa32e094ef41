"""Where the service listens. Opened before any role starts and kept while one is
started again: whoever comes meanwhile waits in the backlog instead of being refused.
For a role that runs alone systemd can do the same, in a unit of sockets."""

import contextlib
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from control_plane.config.concern import PREFIX
from control_plane.config.settings import Settings
from control_plane.web.accepting import CannotListen, listening

Place = Literal["public", "internal", "operator", "api_metrics", "work_metrics"]
Sockets = Mapping[Place, Sequence[socket.socket]]

FIRST = 3  # descriptor that systemd hands over


class PortInUse(Exception):
    """One sentence that names the port and the setting that moves it."""


@contextlib.contextmanager
def listening_at(settings: Settings, places: Iterable[Place]) -> Iterator[Sockets]:
    """Raises PortInUse."""
    with contextlib.ExitStack() as stack:
        yield {place: _open(stack, settings, place) for place in places}


def port_of(sockets: Sequence[socket.socket]) -> int:
    return int(sockets[0].getsockname()[1])


def _open(
    stack: contextlib.ExitStack, settings: Settings, place: Place
) -> Sequence[socket.socket]:
    if handed_over := _handed_over(place):
        return [stack.enter_context(one) for one in handed_over]
    hosts = {"public": settings.public_host, "operator": settings.operator_host}
    host = hosts.get(place, settings.internal_host)
    port: int = getattr(settings, f"{place}_port")
    shared = place == "internal" and settings.internal_reuse_port
    try:
        return stack.enter_context(listening(host, port, reuse_port=shared))
    except CannotListen as why:
        setting = f"{PREFIX}{place.upper()}_PORT"
        raise PortInUse(
            f"Port {port} cannot be listened on ({why}); {setting} moves it."
        ) from None


def _handed_over(place: Place) -> list[socket.socket]:
    """What the one who started this process listens on for it, by the place's name."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    return [_taken(FIRST + n) for n, name in enumerate(names) if name == place]


def _taken(descriptor: int) -> socket.socket:
    one = socket.socket(fileno=descriptor)
    one.setblocking(False)
    one.set_inheritable(False)
    return one
