"""How many event streams may be open: of one address, and in all."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from aiohttp import web

from control_plane.web.address import Addresses

AGAIN = {"Retry-After": "10"}  # seconds


class Seats:
    def __init__(self, addresses: Addresses, *, of_address: int, in_all: int) -> None:
        self._addresses = addresses
        self._of_address = of_address
        self._in_all = in_all
        self._taken: Counter[str] = Counter()
        self._all = 0

    @contextlib.contextmanager
    def taken(self, request: web.Request) -> Iterator[None]:
        """Raises HTTPTooManyRequests or HTTPServiceUnavailable."""
        address = self._addresses.of(request)
        if self._taken.get(address, 0) >= self._of_address:
            text = "Too many pages follow from your address.\n"
            raise web.HTTPTooManyRequests(text=text, headers=AGAIN)
        if self._all >= self._in_all:
            text = "Too many pages follow right now.\n"
            raise web.HTTPServiceUnavailable(text=text, headers=AGAIN)
        self._taken[address] += 1
        self._all += 1
        try:
            yield
        finally:
            self._all -= 1
            self._taken[address] -= 1
            if not self._taken[address]:
                del self._taken[address]
