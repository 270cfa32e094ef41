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
from control_plane.web.accepting import CannotListen, addresses, listening

Place = Literal["public", "internal", "operator", "api_metrics", "work_metrics"]
Sockets = Mapping[Place, Sequence[socket.socket]]

FIRST = 3  # descriptor that systemd hands over
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104


class PortInUse(Exception):
    """Or that of another. One sentence that names the port and the setting that moves
    it."""


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
    hosts = {"public": settings.public_host, "operator": settings.operator_host}
    host = hosts.get(place, settings.internal_host)
    port: int = getattr(settings, f"{place}_port")
    if handed_over := _handed_over(place):
        sockets = [stack.enter_context(one) for one in handed_over]
        if not any(_is_at(one, host, port) for one in sockets):
            raise PortInUse(_elsewhere(sockets[0], place, host, port))
        return sockets
    shared = place == "internal" and settings.internal_reuse_port
    try:
        return stack.enter_context(listening(host, port, reuse_port=shared))
    except CannotListen as why:
        setting = f"{PREFIX}{place.upper()}_PORT"
        raise PortInUse(
            f"Port {port} cannot be listened on ({why}); {setting} moves it."
        ) from None


def _is_at(one: socket.socket, host: str, port: int) -> bool:
    own, own_port = one.getsockname()[:2]
    meant = {address[0] for _, address in addresses(host, port)}
    return own_port == port and (own in EVERYWHERE or own in meant)


def _elsewhere(one: socket.socket, place: Place, host: str, port: int) -> str:
    own, own_port = one.getsockname()[:2]
    return (
        f"systemd listens at {own}:{own_port}, and {PREFIX}{place.upper()}_PORT and its"
        f" host say {host}:{port}: change these, or the socket's unit (systemctl edit"
        " control-plane-….socket)."
    )


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
