"""Leader boards: who gave and who got most."""

from dataclasses import dataclass
from typing import Literal

Side = Literal["sent", "received"]
Period = Literal["hour", "day", "week", "month"]


@dataclass(frozen=True, slots=True)
class Board:
    """Within the last ``period``, in whole hours or days, the running one too; None:
    ever. ``session_id`` 0: everywhere, and then there is a period."""

    side: Side
    period: Period | None
    session_id: int = 0


@dataclass(frozen=True, slots=True)
class Leader:
    user_id: int
    coins: int
