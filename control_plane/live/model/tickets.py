"""Tickets: the right to watch one session."""

from dataclasses import dataclass

MOST_COINS = 1_000_000  # of one ticket


@dataclass(frozen=True, slots=True)
class Ticket:
    """``watched``: it cannot be given back any more."""

    id: int
    session_id: int
    user_id: int
    host_id: int
    coins: int
    transfer_id: int
    watched: bool
