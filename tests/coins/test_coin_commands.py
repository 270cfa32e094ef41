"""What operators can do about coins, and the metrics that must read zero."""

import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from control_plane.base.database import Pool
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.model.money import CoinWorth
from control_plane.coins.model.purchases import Claim
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.service.payouts import Payouts
from control_plane.coins.service.purchases import Purchases
from control_plane.coins.store import ledger
from tests.support import commands
from tests.support.api import settings
from tests.support.money import HEART, behind_the_triggers, new_user
from tests.support.service import serve
from tests.support.stack import until

Command = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
def command(database_url: str, redis_url: str) -> Command:
    """Runs `control-plane … --json`: its exit code and what it printed."""
    env = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CONTROL_PLANE_ENV": "development",
        "CONTROL_PLANE_SECRET": "s" * 32,
    }

    async def run(*words: str) -> tuple[int, Any]:
        said = await commands.command(env, *words, "--json")
        print(*words, said.output)
        return said.exit_code, json.loads(said.stdout) if said.stdout else said.stderr

    return run


async def test_ledger_check_says_whether_every_rule_holds(
    pool: Pool, owner: Pool, command: Command
) -> None:
    await new_user(pool, 5)
    code, found = await command("ledger", "check")
    assert (code, found["faults"]) == (0, 0)
    await behind_the_triggers(owner, "UPDATE wallets SET bonus = 6")
    code, found = await command("ledger", "check")
    broken = [one["name"] for one in found["checks"] if one["faults"]]
    assert (code, broken) == (1, ["balances_equal_entries"])


async def test_bonus_coins_are_given_once_for_a_key(
    pool: Pool, command: Command
) -> None:
    user = str(await new_user(pool))
    for _ in range(2):
        given = await command("ledger", "bonus", user, "50", "--key", "welcome")
        assert given == (0, {"wallet": 50})
    code, shown = await command("ledger", "show", user)
    assert (code, shown["bonus"], shown["paid"]) == (0, 50, 0)
    code, why = await command("ledger", "bonus", user, "0")
    assert (code, "0 is not in the range" in why) == (2, True)


async def test_a_payout_is_paid_or_rejected(pool: Pool, command: Command) -> None:
    fan, star = await new_user(pool, 500), await new_user(pool)
    gifts = Gifts(pool, share_percent=0, created_sessions=False)
    await gifts.send(GiftOrder(fan, HEART, 10, star))
    payouts = Payouts(pool, CoinWorth(Decimal("0.01"), "USD"), least_coins=1)
    for way, status in (("pay", "paid"), ("reject", "rejected")):
        request = (await payouts.request(star, 200, "a@b.c")).request.id
        code, waiting = await command("payouts", "list")
        assert (code, [one["id"] for one in waiting]) == (0, [request])
        assert waiting[0]["owed"] == 0
        code, decided = await command("payouts", way, str(request), "--note", "n")
        assert (code, decided["status"], decided["note"]) == (0, status, "n")
    assert (await ledger.balances(pool, star)).earnings == 300
    code, why = await command("payouts", "pay", str(request))
    assert (code, "decided already" in why) == (1, True)


async def test_a_purchase_is_taken_back(pool: Pool, command: Command) -> None:
    fan = await new_user(pool)
    shop = Purchases(pool, {}, test_purchases=True, sandbox_purchases=True)
    await shop.buy(fan, Claim("apple", "7", coins=500))
    code, bought = await command("purchases", "list", "--user", str(fan))
    price = bought[0]["price"], bought[0]["currency"]
    assert (code, price) == (0, ("5.00", "USD"))
    code, refunded = await command("purchases", "refund", str(bought[0]["id"]))
    assert (code, refunded["status"]) == (0, "refunded")
    assert (await ledger.balances(pool, fan)).wallet == 0


async def test_the_metrics_read_zero_until_a_rule_is_broken(
    database_url: str, redis_url: str, pool: Pool, owner: Pool
) -> None:
    await new_user(pool, 5)
    wanted = settings(database_url, redis_url, ledger_check_seconds=0.05)
    async with serve(wanted) as ports, aiohttp.ClientSession() as http:

        async def faults(check: str) -> float | None:
            url = f"http://127.0.0.1:{ports.work_metrics}/metrics"
            async with http.get(url) as response:
                lines = (await response.text()).splitlines()
            name = f'control_plane_ledger_faults{{check="{check}"}} '
            found = [line for line in lines if line.startswith(name)]
            return float(found[0].split()[1]) if found else None

        async def right() -> bool:
            return await faults("balances_equal_entries") == 0

        async def wrong() -> bool:
            return await faults("balances_equal_entries") == 1

        await until(right)
        await behind_the_triggers(owner, "UPDATE wallets SET bonus = 6")
        await until(wrong)
