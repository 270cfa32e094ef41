"""Where a caller is, as a proxy of ours says it."""

from aiohttp import web

from control_plane.web.address import Addresses


class Regions:
    def __init__(self, header: str, names: str, addresses: Addresses) -> None:
        """``header``: the proxy's; empty: none says it. ``names``: what it calls places
        that are in a node's region: ``DE=eu AT=eu``."""
        self._header = header
        pairs = (part.partition("=") for part in names.split())
        self._names = {place.lower(): region for place, _, region in pairs}
        self._addresses = addresses

    def of(self, request: web.Request) -> str:
        """As nodes are given it. Empty: unknown; whoever is no proxy of ours may say
        what he likes."""
        if not self._header or not self._addresses.through_proxy(request):
            return ""
        said = request.headers.get(self._header, "")
        return self._names.get(said.lower(), said)
