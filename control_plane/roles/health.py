"""What a role needs in order to do its work."""

from functools import partial

from control_plane.base import database, redis
from control_plane.live.service.health import Health, Ping
from control_plane.wiring.services import Services


def health(all_of_it: Services, **more: Ping) -> Health:
    return Health(
        {
            "postgres": partial(database.ping, all_of_it.reserved),
            "redis": partial(redis.ping, all_of_it.redis),
            **more,
        }
    )
