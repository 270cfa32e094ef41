"""Sending messages over HTTP to receivers that nobody has to trust."""

import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from email.utils import parsedate_to_datetime

import aiohttp
from aiohttp.abc import AbstractResolver

from control_plane.webhooks.model.messages import NO_ANSWER, Answer
from control_plane.webhooks.sending.guard import Guard, sockets

WITHIN = 15.0  # seconds for the whole exchange
CONNECT_WITHIN = 5.0  # seconds
READ = 4096  # bytes of an answer that are looked at
NAMES_KEPT = 10  # seconds that an address stands for a name

#: In our words: the library's quote the address or the answer, and secrets in them.
_MET: Mapping[type[Exception], str] = {
    aiohttp.ClientResponseError: "its answer is no HTTP",
    aiohttp.ClientPayloadError: "its answer breaks off",
    aiohttp.ServerDisconnectedError: "it closed the connection without an answer",
    aiohttp.InvalidURL: "its address is none",
}


class HttpSender:
    """A Sender."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            async with self._http.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return await _answer(response)
        except TimeoutError:
            return Answer(NO_ANSWER, "no answer in time")
        except aiohttp.ClientConnectorCertificateError as error:
            return Answer(NO_ANSWER, _refused(error.certificate_error))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(NO_ANSWER, _sentence(error))


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    text = bytearray()
    while len(text) < READ and (chunk := await response.content.read(READ)):
        text += chunk
    if not response.content.at_eof():
        response.close()  # whatever else it has to say
    return Answer(
        response.status,
        text=bytes(text[:READ]).decode("utf-8", "replace"),
        retry_after=_retry_after(response.headers.get("Retry-After", "")),
    )


def _retry_after(text: str) -> float | None:
    """Seconds, given as a number or as a date."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    with contextlib.suppress(ValueError, OverflowError):
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    return None


def _refused(error: Exception) -> str:
    reason = getattr(error, "verify_message", "") or str(error)
    return f"no trust in its certificate: {reason}"[:200]


def _sentence(error: Exception) -> str:
    name = type(error).__name__
    if isinstance(error, OSError | UnicodeError):  # of the address the host alone
        return (str(error) or name)[:200]
    return next((said for kind, said in _MET.items() if isinstance(error, kind)), name)


@contextlib.asynccontextmanager
async def open_sender(
    guard: Guard,
    resolver: AbstractResolver | None = None,
    middlewares: Sequence[aiohttp.ClientMiddlewareType] = (),
) -> AsyncIterator[HttpSender]:
    connector = aiohttp.TCPConnector(
        limit=0,
        resolver=resolver,
        ttl_dns_cache=NAMES_KEPT,
        socket_factory=sockets(guard),
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=WITHIN, sock_connect=CONNECT_WITHIN),
        auto_decompress=False,
        headers={"User-Agent": "live-control-plane", "Accept-Encoding": "identity"},
        trust_env=False,
        middlewares=middlewares,
    ) as http:
        yield HttpSender(http)
