"""Who is looking, when nobody is signed in."""

from control_plane.videos.model.viewers import Viewer, guest_name
from control_plane.web.address import Addresses
from control_plane.web.dispatch import Call


class Guests:
    def __init__(self, addresses: Addresses, key: bytes) -> None:
        """``key``: makes their names."""
        self._addresses = addresses
        self._key = key

    def viewer(self, call: Call) -> Viewer:
        """The user, or a guest as far as one can be told from others."""
        device = call.body.text("device_id", longest=128)
        if call.user is not None:
            return Viewer(call.user.id)
        return Viewer(
            guest=guest_name(self._key, self._addresses.of(call.request), device)
        )
