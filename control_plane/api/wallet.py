"""Buying coins and having earnings paid out."""

import re
from decimal import Decimal, InvalidOperation

from aiohttp import web

from control_plane.api import coin_shapes, own
from control_plane.api.own import OwnAccount
from control_plane.base.refusals import BadInput, Refusal
from control_plane.coins.model.purchases import AppStoreName, Claim
from control_plane.coins.service.payouts import Payouts
from control_plane.coins.service.purchases import Purchases
from control_plane.web.body import Body
from control_plane.web.dispatch import Call, Endpoint
from control_plane.web.envelope import answer

LONGEST_TRANSACTION = 1000  # characters of a Google Play purchase token
MOST_COINS = 10**9
APP_STORES: dict[str, AppStoreName] = {"ios": "apple", "android": "google"}


class WalletApi:
    def __init__(
        self, purchases: Purchases, payouts: Payouts, own_account: OwnAccount
    ) -> None:
        self._purchases = purchases
        self._payouts = payouts
        self._own = own_account

    def endpoints(self) -> dict[str, Endpoint]:
        return {
            "purchaseCoin": Endpoint(self.purchase, limit="purchases"),
            "showCoinWorth": Endpoint(self.show_worth, "optional"),
            "withdrawRequest": Endpoint(self.withdraw, limit="money"),
            "showWithdrawalHistory": Endpoint(self.show_withdrawals),
            "addPayout": Endpoint(self.add_payout, limit="money"),
            "showPayout": Endpoint(self.show_payout),
        }

    async def purchase(self, call: Call) -> web.Response:
        """iOS empties the wallet it shows at an answer without one, refusals too."""
        try:
            return await self._buy(call)
        except Refusal as refusal:
            account = await self._own.of(call)
            msg = account | {"PurchaseCoin": coin_shapes.nothing_bought(call.me.id)}
            return answer(msg, refusal.code, {"error": refusal.sentence})

    async def _buy(self, call: Call) -> web.Response:
        """What the app says about coins and price is not believed: the app store
        says which package was paid for."""
        own.check_self(call, "user_id", "You can only buy coins for yourself.")
        claim = _claim(call.body)
        bought = await self._purchases.buy(call.me.id, claim, own.key(call))
        account = await self._own.of(call, wallet=bought.wallet)
        return answer(
            account
            | {
                "PurchaseCoin": coin_shapes.purchase(bought.purchase),
                "Transaction": coin_shapes.transaction(bought.purchase),
            }
        )

    async def show_worth(self, _call: Call) -> web.Response:
        packages = await self._purchases.packages()
        return answer(
            {
                "CoinWorth": coin_shapes.coin_worth(self._payouts.worth),
                "CoinPackages": [coin_shapes.package(one) for one in packages],
            }
        )

    async def withdraw(self, call: Call) -> web.Response:
        own.check_self(call, "user_id", "You can only withdraw your own coins.")
        coins = self._coins(call.body)
        email = call.body.text("email", longest=254)
        asked = await self._payouts.request(call.me.id, coins, email, own.key(call))
        account = await self._own.of(call, wallet=asked.wallet)
        request = coin_shapes.withdraw_request(asked.request)
        return answer(account | {"WithdrawRequest": request})

    def _coins(self, body: Body) -> int:
        """One iOS form names the amount of money only."""
        if body.has("coin"):
            coins = body.integer("coin")
        else:
            coins = self._payouts.worth.coins(_decimal(body.required("amount", 32)))
        if not 0 <= coins <= MOST_COINS:
            raise BadInput("coin is out of range.")
        return coins

    async def show_withdrawals(self, call: Call) -> web.Response:
        found = await self._payouts.history(call.me.id, call.body.page())
        return answer(
            [{"WithdrawRequest": coin_shapes.withdraw_request(one)} for one in found]
        )

    async def add_payout(self, call: Call) -> web.Response:
        """``{value, type}``, or ``{paypal}`` from older apps."""
        own.check_self(call, "user_id", "You can only change your own payouts.")
        body = call.body
        older = body.has("paypal") and not body.has("value")
        value = body.required("paypal" if older else "value", 254)
        kind = body.text("type", "Paypal", longest=40) or "Paypal"
        method = await self._payouts.choose(call.me.id, kind, value, own.key(call))
        account = await self._own.of(call)
        return answer(account | {"Payout": coin_shapes.payout(method)})

    async def show_payout(self, call: Call) -> web.Response:
        method = await self._payouts.chosen(call.me.id)
        return answer({"Payout": coin_shapes.payout(method)})


def _claim(body: Body) -> Claim:
    transaction_id = body.required("transaction_id", LONGEST_TRANSACTION)
    device = body.text("device", longest=40)
    store = APP_STORES.get(device.lower())
    if store is None and device:
        raise BadInput("device must be android or iOS.")
    if store is None:  # Apple's ids are digits, Google's tokens are not
        store = "apple" if transaction_id.isdigit() else "google"
    return Claim(
        store=store,
        transaction_id=transaction_id,
        title=body.text("title", longest=200),
        device=device,
        coins=_count(body.text("coin", longest=40)),
    )


def _count(text: str) -> int:
    """iOS sends the first word of the app store's title: "2,000"."""
    found = re.sub(r"[^0-9]", "", text.removesuffix(".0"))
    return int(found) if 0 < len(found) < 10 else 0


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise BadInput("amount must be a number.") from None
    # Compared as it is: abs() would round, and overflow at 1e9999999.
    if not value.is_finite() or not -MOST_COINS <= value <= MOST_COINS:
        raise BadInput("amount must be a number.")
    return value
