"""The wiring of the log, its readers and operators."""

from dataclasses import dataclass

from control_plane.base.database import Pool
from control_plane.config.settings import Settings
from control_plane.events.keeping import Keeping
from control_plane.events.reading import Reading
from control_plane.events.tail import Tail
from control_plane.operators.service import Tokens


@dataclass(frozen=True)
class Events:
    """``tail`` runs where events are followed, ``keeping`` in one process or more."""

    reading: Reading
    tail: Tail
    keeping: Keeping
    tokens: Tokens


def events(settings: Settings, pool: Pool) -> Events:
    return Events(
        reading=Reading(pool),
        tail=Tail(pool),
        keeping=Keeping(pool, settings.event_months),
        tokens=Tokens(pool),
    )
