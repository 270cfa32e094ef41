"""Taking connections from a listening port.

asyncio's own servers take as many at once as the backlog holds; when descriptors run
out they report each of those, and try them all again a second later.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from control_plane.base.seldom import Seldom

BACKLOG = 4096  # connections that may wait: 128 gives a p99 of 1.5 s in a rush
AT_ONCE = 64  # taken before the others get a turn
RETRY = 0.5  # seconds after a failure

#: The protocol for a connection, and its address; None hangs up.
Admit = Callable[[socket.socket, str], asyncio.BaseProtocol | None]


class Acceptor:
    """``room``: whether there may be another connection. Who waits in the backlog
    then is taken when ``resume`` is called."""

    def __init__(
        self,
        listening: Sequence[socket.socket],
        admit: Admit,
        room: Callable[[], bool] = lambda: True,
    ) -> None:
        self._listening = listening
        self._admit = admit
        self._room = room
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[object]] = set()
        self._retry: asyncio.TimerHandle | None = None
        self._closed = False
        self._seldom = Seldom()

    def resume(self) -> None:
        """Also the first time."""
        if self._retry is None and not self._closed:
            for one in self._listening:
                self._loop.add_reader(one, self._take, one)

    async def leave(self) -> None:
        """As ``close``, after what waits. Who comes from here on is not kept waiting
        for us where others listen at the same port."""
        for one in self._listening:
            while self._take(one):
                pass
        self.close()
        for one in self._listening:
            one.close()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def close(self) -> None:
        self._closed = True
        if self._retry is not None:
            self._retry.cancel()
        self._pause()

    def _pause(self) -> None:
        for one in self._listening:
            self._loop.remove_reader(one)

    def _take(self, listening: socket.socket) -> bool:
        """Whether more may wait, who come in their turn."""
        for _ in range(AT_ONCE):
            if not self._room():
                self._pause()
                self._seldom.warn("no room for more connections")
                return False
            try:
                one, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return False
            except OSError as error:
                self._try_later(error)
                return False
            self._serve(one, str(address[0]))
        return True

    def _serve(self, one: socket.socket, address: str) -> None:
        one.setblocking(False)
        protocol = self._admit(one, address)
        if protocol is None:
            one.close()
            return
        coming = self._loop.connect_accepted_socket(lambda: protocol, one)
        task = asyncio.create_task(coming)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _try_later(self, error: OSError) -> None:
        self._seldom.warn("connections cannot be taken", error=error.strerror)
        self._pause()
        self._retry = self._loop.call_later(RETRY, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self.resume()


class CannotListen(Exception):
    """Why, in the words of the system."""


@contextlib.contextmanager
def listening(
    host: str, port: int, *, reuse_port: bool = False
) -> Iterator[list[socket.socket]]:
    """One socket for each address of the host. ``reuse_port``: others may listen at
    it too; it does not yet, since whoever came would wait until somebody answers here.
    Raises CannotListen."""
    with contextlib.ExitStack() as stack:
        try:
            sockets = [
                stack.enter_context(_listening(family, address, reuse_port=reuse_port))
                for family, address in addresses(host, port)
            ]
        except OSError as error:
            raise CannotListen(error.strerror) from None
        yield sockets


def addresses(host: str, port: int) -> "list[tuple[int, Any]]":
    """With the family of each."""
    found = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    return list(dict.fromkeys((family, address) for family, *_, address in found))


def _listening(family: int, address: Any, *, reuse_port: bool) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:  # the same port of IPv4 has a socket of its own
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        if not reuse_port:
            one.listen(BACKLOG)
    except OSError:
        one.close()
        raise
    return one
