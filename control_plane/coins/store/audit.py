"""The ledger read whole, from its entries, to see that every rule holds."""

from control_plane.base.database import Connection
from control_plane.coins.model.audit import CheckName

LONGEST = 600.0  # seconds

_CHECKS: dict[CheckName, str] = {
    "transfers_sum_to_zero": """
        SELECT count(*) FROM (
            SELECT FROM ledger_transfers t
            LEFT JOIN ledger_entries e ON e.transfer_id = t.id
            GROUP BY t.id HAVING coalesce(sum(e.amount), 1) <> 0
        ) broken
        """,
    "balances_equal_entries": """
        SELECT count(*) FROM wallets w LEFT JOIN (
            SELECT e.user_id,
                sum(amount) FILTER (WHERE account = 'trial') AS trial,
                sum(amount) FILTER (WHERE account = 'paid') AS paid,
                sum(amount) FILTER (WHERE account = 'bonus') AS bonus,
                sum(amount) FILTER (WHERE account = 'earnings') AS earnings,
                sum(amount) FILTER (WHERE account = 'hold') AS hold,
                sum(amount) FILTER (WHERE account = 'owed') AS owed,
                sum(amount) FILTER (WHERE account IN ('earnings', 'trial')
                    AND amount > 0 AND t.kind = 'gift') AS received
            FROM ledger_entries e JOIN ledger_transfers t ON t.id = e.transfer_id
            WHERE e.user_id IS NOT NULL GROUP BY e.user_id
        ) s USING (user_id)
        WHERE (w.trial, w.paid, w.bonus, w.earnings, w.hold, w.owed, w.received)
            IS DISTINCT FROM (coalesce(s.trial, 0), coalesce(s.paid, 0),
            coalesce(s.bonus, 0), coalesce(s.earnings, 0), coalesce(s.hold, 0),
            coalesce(s.owed, 0), coalesce(s.received, 0))
        """,
    "no_negative_account": """
        SELECT count(*) FROM (
            SELECT FROM ledger_entries
            WHERE account IN ('trial', 'paid', 'bonus', 'earnings', 'hold')
            GROUP BY user_id, account HAVING sum(amount) < 0
        ) broken
        """,
    "trial_coins_stay_trial": """
        SELECT count(*) FROM (
            SELECT FROM ledger_entries WHERE account IN ('trial', 'clearing')
            GROUP BY transfer_id HAVING sum(amount) <> 0 AND bool_or(account = 'trial')
            UNION ALL
            SELECT FROM purchases p JOIN ledger_entries e USING (transfer_id)
            WHERE e.account <> 'clearing' AND ((e.account = 'trial') <> p.trial
                OR p.trial AND p.environment = 'production')
        ) broken
        """,
    "gifts_have_transfers": """
        SELECT count(*) FROM gift_transactions g
        FULL JOIN (
            SELECT t.id, sum(e.amount) FILTER (WHERE e.amount > 0) AS given,
                min(e.user_id) FILTER (WHERE e.amount < 0) AS sender_id,
                coalesce(min(e.user_id) FILTER (WHERE e.amount > 0), 0) AS receiver_id,
                count(DISTINCT e.user_id) AS people
            FROM ledger_transfers t JOIN ledger_entries e ON e.transfer_id = t.id
            WHERE t.kind = 'gift' GROUP BY t.id
        ) t ON t.id = g.transfer_id
        WHERE t.id IS NULL OR g.id IS NULL OR t.given <> g.coins
            OR t.sender_id <> g.sender_id
            OR t.receiver_id NOT IN (0, g.receiver_id) OR t.people > 2
        """,
    "purchases_have_transfers": """
        SELECT count(*) FROM purchases p
        FULL JOIN (
            SELECT t.id, -sum(e.amount) AS coins
            FROM ledger_transfers t JOIN ledger_entries e ON e.transfer_id = t.id
            WHERE t.kind = 'purchase' AND e.account = 'clearing' GROUP BY t.id
        ) t ON t.id = p.transfer_id
        WHERE t.id IS NULL OR p.id IS NULL OR t.coins <> p.coins
        """,
    "tickets_have_transfers": """
        SELECT count(*) FROM tickets k
        FULL JOIN (
            SELECT t.id, -sum(e.amount) FILTER (WHERE e.user_id IS NOT NULL) AS coins,
                min(e.user_id) AS user_id, count(DISTINCT e.user_id) AS people
            FROM ledger_transfers t JOIN ledger_entries e ON e.transfer_id = t.id
            WHERE t.kind = 'ticket' GROUP BY t.id
        ) t ON t.id = k.transfer_id
        WHERE t.id IS NULL OR k.id IS NULL OR t.coins <> k.coins
            OR t.user_id <> k.user_id OR t.people <> 1
        """,
    "escrow_equals_tickets": """
        SELECT count(*) FROM (
            SELECT coalesce(sum(amount), 0) AS coins FROM ledger_entries
            WHERE account = 'escrow'
        ) there, (
            SELECT coalesce(sum(e.amount), 0) AS coins
            FROM tickets k JOIN ledger_entries e USING (transfer_id)
            WHERE e.account = 'escrow' AND k.used_transfer_id IS NULL
                AND k.refund_transfer_id IS NULL
        ) open WHERE there.coins <> open.coins
        """,
    "holds_equal_requests": """
        SELECT count(*) FROM wallets w LEFT JOIN (
            SELECT user_id, sum(coins) AS coins FROM withdraw_requests
            WHERE status = 'pending' GROUP BY user_id
        ) r USING (user_id) WHERE w.hold <> coalesce(r.coins, 0)
        """,
}


async def faults(connection: Connection) -> dict[CheckName, int]:
    """Each of one moment, and all together of none: what changes meanwhile leaves old
    rows behind, which nobody can clear away while a snapshot is older than they."""
    return {
        name: int(await connection.fetchval(query, within=LONGEST))
        for name, query in _CHECKS.items()
    }
