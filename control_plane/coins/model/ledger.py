"""Coins: accounts, entries, and who gets what.

Double entry: what one account loses others gain, so the entries of a transfer sum to
zero. Coins are whole numbers.

Coins of test purchases cost nothing. They are given like others, but stay on ``trial``
accounts, so that nobody is ever paid for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Account = Literal[
    "clearing", "share", "escrow", "trial", "paid", "bonus", "earnings", "hold", "owed"
]
TransferKind = Literal[
    "gift",
    "purchase",
    "refund",
    "refund_reversed",
    "bonus",
    "payout_requested",
    "payout_paid",
    "payout_rejected",
    "ticket",
    "ticket_used",
    "ticket_refunded",
]
#: What a gift is paid from, in this order: what was free, then bought, then earned.
SPENT_FIRST: tuple[Account, ...] = ("trial", "bonus", "paid", "earnings")


@dataclass(frozen=True, slots=True)
class Entry:
    account: Account
    user_id: int | None  # None: clearing, share and escrow belong to nobody
    amount: int


@dataclass(frozen=True, slots=True)
class Balances:
    """A user's accounts. ``owed`` is zero or below."""

    trial: int = 0
    paid: int = 0
    bonus: int = 0
    earnings: int = 0
    hold: int = 0
    owed: int = 0

    @property
    def wallet(self) -> int:
        """The apps' one number: all that can be spent."""
        return self.trial + self.paid + self.bonus + self.earnings

    @property
    def frozen(self) -> bool:
        """Nothing is given or paid out before a refund is made good."""
        return self.owed < 0

    def after(self, user_id: int, entries: Sequence[Entry]) -> "Balances":
        parts = {name: getattr(self, name) for name in self.__slots__}
        for entry in entries:
            if entry.user_id == user_id:
                parts[entry.account] += entry.amount
        return Balances(**parts)


@dataclass(frozen=True, slots=True)
class Purse:
    """A user's own; nobody else is told. ``received``: by gifts, ever: the apps'
    ``total_all_time_coins``."""

    wallet: int
    received: int


def spend(user_id: int, has: Balances, coins: int) -> list[Entry]:
    """The entries that take ``coins``, which must be there."""
    entries = []
    for account in SPENT_FIRST:
        part = min(coins, getattr(has, account))
        if part:
            entries.append(Entry(account, user_id, -part))
            coins -= part
    if coins:
        raise ValueError("not enough coins")
    return entries


def gift(
    sender_id: int, has: Balances, receiver_id: int, coins: int, share_percent: int
) -> list[Entry]:
    """The platform's share is rounded down; the rest is the receiver's. Of trial
    coins the platform keeps none: its part of them is gone."""
    taken = spend(sender_id, has, coins)
    given = _given(receiver_id, coins, _trial(taken), share_percent)
    return [*taken, *_moving([*given, Entry("clearing", None, _missing(given, taken))])]


def ticket(user_id: int, has: Balances, coins: int) -> list[Entry]:
    """Bought: its coins lie in escrow. Trial coins never mix with others, so theirs
    wait outside."""
    taken = spend(user_id, has, coins)
    trial = _trial(taken)
    waiting = [Entry("escrow", None, coins - trial), Entry("clearing", None, trial)]
    return [*taken, *_moving(waiting)]


def ticket_used(
    host_id: int, bought: Sequence[Entry], share_percent: int
) -> list[Entry]:
    """``bought``: the entries of :func:`ticket`. The host gets what a gift of as much
    would bring."""
    trial = _trial(bought)
    rest = sum(entry.amount for entry in bought if entry.account == "escrow")
    given = [
        *_given(host_id, rest + trial, trial, share_percent),
        Entry("escrow", None, -rest),
    ]
    return _moving([*given, Entry("clearing", None, _missing(given))])


def ticket_refunded(
    user_id: int, has: Balances, bought: Sequence[Entry]
) -> list[Entry]:
    """Back to where each coin came from; of the paid ones a debt is made good first."""
    back = [Entry(one.account, one.user_id, -one.amount) for one in bought]
    paid = sum(entry.amount for entry in back if entry.account == "paid")
    settled = min(paid, -has.owed)
    others = [entry for entry in back if entry.account != "paid"]
    own = [Entry("paid", user_id, paid - settled), Entry("owed", user_id, settled)]
    return _moving([*others, *own])


def _trial(taken: Sequence[Entry]) -> int:
    return -sum(entry.amount for entry in taken if entry.account == "trial")


def _given(receiver_id: int, coins: int, trial: int, share_percent: int) -> list[Entry]:
    share = (coins - trial) * share_percent // 100
    gone = coins * share_percent // 100 - share
    return [
        Entry("share", None, share),
        Entry("earnings", receiver_id, coins - trial - share),
        Entry("trial", receiver_id, trial - gone),
    ]


def _missing(*several: Sequence[Entry]) -> int:
    """What is missing for zero."""
    return -sum(entry.amount for entries in several for entry in entries)


def _moving(parts: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in parts if entry.amount]


def purchase(user_id: int, has: Balances, coins: int) -> list[Entry]:
    """A debt is made good before anything is credited."""
    settled = min(coins, -has.owed)
    parts = [
        Entry("clearing", None, -coins),
        Entry("owed", user_id, settled),
        Entry("paid", user_id, coins - settled),
    ]
    return _moving(parts)


def trial_purchase(user_id: int, coins: int) -> list[Entry]:
    """It makes no debt good: it cost nothing."""
    return [Entry("clearing", None, -coins), Entry("trial", user_id, coins)]


def refund(user_id: int, has: Balances, coins: int) -> list[Entry]:
    """Taken from the paid coins; what is spent already is owed."""
    taken = min(coins, has.paid)
    parts = [
        Entry("clearing", None, coins),
        Entry("paid", user_id, -taken),
        Entry("owed", user_id, taken - coins),
    ]
    return _moving(parts)


def trial_refund(user_id: int, has: Balances, coins: int) -> list[Entry]:
    """What is left of them; what is spent is not owed."""
    taken = min(coins, has.trial)
    return _moving([Entry("clearing", None, taken), Entry("trial", user_id, -taken)])


def bonus(user_id: int, coins: int) -> list[Entry]:
    return [Entry("clearing", None, -coins), Entry("bonus", user_id, coins)]


def payout_requested(user_id: int, coins: int) -> list[Entry]:
    return [Entry("earnings", user_id, -coins), Entry("hold", user_id, coins)]


def payout_paid(user_id: int, coins: int) -> list[Entry]:
    return [Entry("hold", user_id, -coins), Entry("clearing", None, coins)]


def payout_rejected(user_id: int, coins: int) -> list[Entry]:
    return [Entry("hold", user_id, -coins), Entry("earnings", user_id, coins)]
