"""What must be true of the ledger, whatever happened."""

from dataclasses import dataclass
from typing import Literal

CheckName = Literal[
    "transfers_sum_to_zero",
    "balances_equal_entries",
    "no_negative_account",
    "trial_coins_stay_trial",
    "gifts_have_transfers",
    "purchases_have_transfers",
    "tickets_have_transfers",
    "escrow_equals_tickets",
    "holds_equal_requests",
]


@dataclass(frozen=True, slots=True)
class Check:
    """``faults``: how many rows break the rule; zero, always."""

    name: CheckName
    faults: int
