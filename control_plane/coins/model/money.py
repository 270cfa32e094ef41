"""Real money: whole minor units of an ISO 4217 currency, never a fraction."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

#: Currencies without hundredths (ISO 4217); all others have two digits.
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
NO_DIGITS = frozenset(_NONE.split())
_THREE = "BHD IQD JOD KWD LYD OMR TND"
THREE_DIGITS = frozenset(_THREE.split())


def digits(currency: str) -> int:
    if currency in NO_DIGITS:
        return 0
    return 3 if currency in THREE_DIGITS else 2


@dataclass(frozen=True, slots=True)
class Money:
    minor: int
    currency: str

    @classmethod
    def of(cls, units: Decimal, currency: str) -> "Money":
        minor = units.scaleb(digits(currency)).to_integral_value(ROUND_HALF_UP)
        return cls(int(minor), currency)

    @property
    def units(self) -> Decimal:
        return Decimal(self.minor).scaleb(-digits(self.currency))

    @property
    def rounded(self) -> int:
        """Whole units: the iOS app reads a price as an integer."""
        return int(self.units.to_integral_value(ROUND_HALF_UP))


@dataclass(frozen=True, slots=True)
class CoinWorth:
    """What a coin brings when it is paid out. ``price``: of one coin, in units of
    the currency."""

    price: Decimal
    currency: str

    def of(self, coins: int) -> Money:
        """Rounded down."""
        minor = (coins * self.price).scaleb(digits(self.currency))
        return Money(int(minor), self.currency)

    def coins(self, units: Decimal) -> int:
        """How many coins an amount is; part of a coin does not count."""
        return int(units / self.price) if self.price else 0
