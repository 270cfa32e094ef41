"""Who looks after a node when its owner is gone."""

from control_plane.config.live import LiveSettings
from control_plane.live.model.viewers import WINDOW
from control_plane.live.service.owner import LEASES_TAKEN_EVERY
from control_plane.live.store.nodes import LEASE


def test_another_takes_over_while_the_last_look_counts() -> None:
    """It may have been a whole round old when its owner was killed."""
    taken = LEASE.total_seconds() + LEASES_TAKEN_EVERY
    assert taken <= WINDOW - LiveSettings().reconcile_seconds
