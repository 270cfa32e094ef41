"""What the public side may be sent, by those who mean well and by those who do not.
Each goes on until it is killed; being refused does not end it."""

import contextlib
import itertools
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    port: int
    tokens: Sequence[str]  # of users


#: Of a target and the attacker's number.
Attack = Callable[[Target, int], None]
HALF_OPEN = 200


def _calls(target: Target, _: int) -> None:
    """As many cheap calls as it can answer."""
    _ask_on(target, itertools.repeat(_request("showLiveStreams")))


def _broadcasts(target: Target, number: int) -> None:
    """Everybody goes live, and again: each call makes a key that auth has to know."""
    tokens = target.tokens[number:] or target.tokens
    requests = [_request("liveStream", token=token) for token in tokens]
    _ask_on(target, itertools.cycle(requests))


def _half_open(target: Target, _: int) -> None:
    """Requests that are never finished."""
    while True:
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for _ in range(HALF_OPEN):
                one = held.enter_context(_connection(target))
                one.sendall(b"POST /api/showSettings HTTP/1.1\r\nHost: a\r\n")


def _bodies(target: Target, _: int) -> None:
    """The dearest bodies that are taken to be read at all."""
    parts = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\n%d\r\n' % (i, i)
        for i in range(60)
    )
    many = (
        ("application/json", b'{"a":' + b"[" * 30 + b"]" * 30 + b"}" + b" " * 900_000),
        ("application/x-www-form-urlencoded", b"&".join([b"a=%20"] * 20_000)),
        ("multipart/form-data; boundary=b", parts + b"--b--\r\n"),
    )
    requests = [_request("showSettings", body, kind) for kind, body in many]
    _ask_on(target, itertools.cycle(requests))


def _request(
    name: str, body: bytes = b"{}", kind: str = "application/json", token: str = ""
) -> bytes:
    head = (
        f"POST /api/{name} HTTP/1.1\r\nHost: a\r\nAuth-Token: {token}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _ask_on(target: Target, requests: Iterator[bytes]) -> None:
    while True:
        with contextlib.suppress(OSError), _connection(target) as one:
            for request in requests:
                one.sendall(request)
                if not one.recv(65_536):
                    break


def _connection(target: Target) -> socket.socket:
    return socket.create_connection(("127.0.0.1", target.port))


ATTACKS: Mapping[str, Attack] = {
    "many calls": _calls,
    "everybody goes live": _broadcasts,
    "half-open requests": _half_open,
    "heavy bodies": _bodies,
}
