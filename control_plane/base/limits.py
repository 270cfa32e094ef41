"""How often somebody may call: per user, and per address for many users together."""

import asyncio
from dataclasses import dataclass
from typing import Literal

import structlog

from control_plane.base.faults import Away
from control_plane.base.rates import Counters
from control_plane.base.redis import Redis
from control_plane.base.refusals import TooMany, Unavailable

log = structlog.get_logger(__name__)

LimitName = Literal["sign_in", "money", "purchases", "search", "writes"]

#: A phone network or an office is one address for many people.
USERS_BEHIND_AN_ADDRESS = 10
LONGEST_WAIT = 0.5  # seconds for Redis


@dataclass(frozen=True, slots=True)
class Rules:
    """Requests a minute; 0: no limit. Sign-in knows no user yet, so its number is
    for an address; the others are for a user."""

    sign_in: int
    money: int
    search: int
    writes: int


class RateLimits:
    def __init__(self, redis: Redis, rules: Rules) -> None:
        self._counters = Counters(redis)
        self._per_minute = {
            "sign_in": rules.sign_in,
            "money": rules.money,
            "purchases": rules.money,
            "search": rules.search,
            "writes": rules.writes,
        }

    async def check_address(self, name: LimitName, address: str) -> None:
        """Raises TooMany, or Unavailable as :meth:`check_user` does."""
        per_minute = self._per_minute[name]
        if name != "sign_in":
            per_minute *= USERS_BEHIND_AN_ADDRESS
        await self._check(name, per_minute, "address", address)

    async def check_user(self, name: LimitName, user_id: int) -> None:
        """Raises TooMany. While Redis is away money routes are Unavailable and the
        others are open: nobody spends uncounted, and nobody is locked out. Nor is a
        purchase that the app store has been paid for: apps tell of it once."""
        await self._check(name, self._per_minute[name], "user", str(user_id))

    async def _check(self, name: LimitName, per_minute: int, *who: str) -> None:
        if not per_minute:
            return
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                allowed = await self._counters.hit(per_minute, name, *who)
        except (Away, TimeoutError) as error:
            log.warning("rate limits without Redis", limit=name, error=repr(error))
            if name == "money":
                raise Unavailable from None
            return
        if not allowed:
            raise TooMany
