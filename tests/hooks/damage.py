"""Damaged requests for the nodes' listener, from a seed.

    python tests/hooks/damage.py --port 8081 --count 100000

sends them to a listener that runs already.
"""

import argparse
import json
import random
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PATIENCE = 10.0  # seconds for an answer
ASK = {
    "ip": "198.51.100.4",
    "user": "",
    "password": "",
    "token": "",
    "action": "read",
    "path": "live/1",
    "protocol": "hls",
    "id": "0b6c3a54-1f7e-4a3c-8a44-7a1d2f6f9b02",
    "query": "token=x",
    "userAgent": "Mozilla/5.0",
}
ODD: Sequence[object] = (None, 0, -1, 1e300, True, [], {}, "", "\x00", "é", "a" * 9000)
ALLOWED = (b"200", b"204", b"401", b"4")


@dataclass(frozen=True)
class Sample:
    """``parts`` are sent one after the other."""

    parts: list[bytes]


def samples(seed: int, basic: str, node: str) -> Iterator[Sample]:
    """Without end. ``basic``: the node's credentials, base64."""
    chance = random.Random(seed)  # noqa: S311  (a test's choice)
    while True:
        whole = b"".join(
            _request(chance, basic, node) for _ in range(chance.choice((1, 1, 1, 2, 5)))
        )
        for _ in range(chance.choice((0, 1, 1, 2, 8))):
            whole = _damaged(chance, whole)
        yield Sample(_cut(chance, whole))


def _request(chance: random.Random, basic: str, node: str) -> bytes:
    ask: dict[str, object] = dict(ASK)
    for _ in range(chance.choice((0, 0, 1, 3))):
        ask[chance.choice([*ASK, "more"])] = chance.choice(ODD)
    if chance.random() < 0.2:
        ask.pop(chance.choice(list(ask)))
    body = json.dumps(ask).encode()
    path = chance.choice([f"/hooks/mediamtx/{node}/auth"] * 8 + ["/", "/metrics?x=1"])
    method = chance.choice(["POST"] * 8 + ["GET", "PUT", "HEAD", "BREW", "CONNECT"])
    version = chance.choice(["1.1"] * 8 + ["1.0", "0.9", "2.0"])
    scheme = chance.choice(["Basic"] * 8 + ["basic", "Bearer", ""])
    head = (
        f"{method} {path} HTTP/{version}\r\nHost: a\r\n"
        f"Authorization: {scheme} {basic}\r\n"
    )
    if chance.random() < 0.2:
        chunks = b"".join(
            b"%x\r\n%s\r\n" % (len(part), part) for part in _cut(chance, body) if part
        )
        trailer = chance.choice((b"", b"Authorization: Basic eA==\r\n"))
        return (
            f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
            + chunks
            + b"0\r\n"
            + trailer
            + b"\r\n"
        )
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _damaged(chance: random.Random, whole: bytes) -> bytes:
    at = chance.randrange(len(whole) + 1)
    match chance.randrange(6):
        case 0:
            return whole[:at] + chance.randbytes(chance.randrange(1, 9)) + whole[at:]
        case 1:
            return whole[:at] + whole[at + chance.randrange(1, 40) :]
        case 2:
            return whole[:at] + bytes([chance.randrange(256)]) + whole[at + 1 :]
        case 3:
            return whole[:at]
        case 4:
            return (
                whole[:at] + whole[at // 2 : at] * chance.randrange(1, 4) + whole[at:]
            )
        case _:
            name = chance.choice(
                (
                    b"Content-Length: 7",
                    b"Transfer-Encoding: gzip",
                    b"Expect: x",
                    b"Expect: 100-continue",
                    b"Connection: close",
                    b"Connection: Upgrade\r\nUpgrade: h2c",
                    b"A:b\n",
                )
            )
            return whole.replace(b"\r\n", b"\r\n" + name + b"\r\n", 1)


def _cut(chance: random.Random, whole: bytes) -> list[bytes]:
    if chance.random() < 0.7 or len(whole) < 2:
        return [whole]
    at = sorted(chance.randrange(len(whole)) for _ in range(chance.randrange(1, 4)))
    return [whole[a:b] for a, b in zip([0, *at], [*at, len(whole)], strict=True)]


def send(port: int, sample: Sample) -> bytes:
    """All that is answered; raises TimeoutError when the connection hangs."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        try:
            for part in sample.parts:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            while more := connection.recv(65536):
                answer += more
        except (ConnectionResetError, BrokenPipeError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
    return answer


def wrong(answer: bytes) -> str:
    """What is wrong with it; "" when nothing is."""
    if not answer:
        return ""
    for line in answer.split(b"HTTP/1.1 ")[1:]:
        if not line.startswith((*ALLOWED, b"100 Continue")):
            return line[:40].decode("latin-1")
    return "" if answer.startswith(b"HTTP/1.1 ") else answer[:40].decode("latin-1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--node", default="local")
    parser.add_argument("--basic", default="", help="NODE:SECRET in base64")
    options = parser.parse_args()
    found = samples(options.seed, options.basic, options.node)
    for number, sample in zip(range(options.count), found, strict=False):
        if fault := wrong(send(options.port, sample)):
            raise SystemExit(f"request {number}: {fault!r}: {sample.parts!r}")
        if number % 10_000 == 0:
            print(f"{number} sent", flush=True)
    print(f"{options.count} sent, no fault")


if __name__ == "__main__":
    main()
