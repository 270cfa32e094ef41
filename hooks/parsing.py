"""From bytes to requests: HTTP/1.1 as nodes speak it, and strictly."""

import httptools

from hooks.messages import Request

LARGEST_BODY = 64 * 1024  # bytes
LARGEST = LARGEST_BODY + 16 * 1024
MOST_AT_ONCE = 32  # requests; nodes send one and wait
VERSIONS = ("1.1", "1.0")  # balancers speak the older one
#: Most headers are neither, which their length tells at once.
AUTHORIZATION, EXPECT = len("authorization"), len("expect")


class Refused(Exception):
    """No node sends this; what comes after it cannot be understood either."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Parser:
    """``begun``: a request has begun to arrive. ``expects``: its sender waits for a
    word of ours before it sends the body."""

    __slots__ = (
        "_authorization",
        "_body",
        "_inner",
        "_refusal",
        "_size",
        "_trailing",
        "_url",
        "_whole",
        "begun",
        "expects",
    )

    def __init__(self) -> None:
        self._inner = httptools.HttpRequestParser(self)
        self._whole: list[Request] = []
        self._refusal = 400
        self.on_message_begin()
        self.begun = False

    def feed(self, data: bytes) -> None:
        """Raises Refused; what was whole before that still counts."""
        try:
            self._inner.feed_data(data)
        except httptools.HttpParserError:
            raise Refused(self._refusal) from None
        except httptools.HttpParserUpgrade:
            self._whole.pop()  # its body was taken for another protocol
            raise Refused(self._refusal) from None
        self._size += len(data)
        if self.begun and self._size > LARGEST:
            raise Refused(413)

    def whole(self) -> list[Request]:
        """The requests that are, each once."""
        found, self._whole = self._whole, []
        return found

    def _refuse(self, status: int) -> None:
        self._refusal = status
        raise Refused(status)

    # What the inner parser tells; it stops at what is raised here.

    def on_message_begin(self) -> None:
        self.begun = True
        self.expects = False
        self._trailing = False
        self._size = 0
        self._url = b""
        self._authorization = b""
        self._body = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        size = len(name)
        if size == AUTHORIZATION and name.lower() == b"authorization":
            if not self._trailing:
                self._authorization = value
        elif size == EXPECT and name.lower() == b"expect":
            if value.lower() != b"100-continue":
                self._refuse(417)
            self.expects = not self._trailing

    def on_headers_complete(self) -> None:
        self._trailing = True
        if self._inner.get_http_version() not in VERSIONS:
            self._refuse(400)

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > LARGEST_BODY:
            self._refuse(413)

    def on_message_complete(self) -> None:
        if len(self._whole) == MOST_AT_ONCE:
            self._refuse(400)
        path, _, _ = self._url.partition(b"?")
        self._whole.append(
            Request(
                self._inner.get_method(),
                path,
                self._authorization,
                self._body,
                self._inner.should_keep_alive(),
            )
        )
        self.begun = False
        self.expects = False
