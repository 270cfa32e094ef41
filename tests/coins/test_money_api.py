"""Coins as the apps ask for them."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from control_plane.base.database import Pool
from control_plane.coins.service.ledger import Ledger
from control_plane.coins.store import ledger
from control_plane.web.metrics import exposition
from tests.support.api import Account, App
from tests.support.app_stores import APP_ID, BUNDLE, FakeApple, FakeGoogle
from tests.support.money import HEART, ROSE, new_session
from tests.support.stack import until

Json = dict[str, Any]
ANDROID = {
    "coin": "500",
    "title": "500 coins",
    "price": "5",
    "transaction_id": "abc.AO-J1",
    "device": "android",
}


async def rich(app: App, name: str = "fan", coins: str = "500") -> Account:
    fan = await app.sign_in(name)
    body = ANDROID | {"coin": coins, "transaction_id": f"of.{name}"}
    await fan.ask("purchaseCoin", body)
    return fan


async def test_gifts_on_sale_have_the_types_of_both_apps(app: App) -> None:
    gifts = [one["Gift"] for one in await app.ask("showGifts")]
    assert [(gift["title"], gift["coin"]) for gift in gifts] == [
        ("Rose", 10),
        ("Heart", 50),
        ("Diamond", 1000),
        ("Universe", 5000),
    ]
    for gift in gifts:
        for name in ("id", "coin", "featured", "time"):
            assert type(gift[name]) is int
        for name in ("title", "image", "icon", "type", "position", "created"):
            assert type(gift[name]) is str


async def test_the_pictures_of_gifts_are_served(app: App) -> None:
    """By their full address: iOS takes any text as it is."""
    for one in await app.ask("showGifts"):
        assert one["Gift"]["icon"].startswith(f"{app.base}/api/gifts/")
        async with app.http.get(one["Gift"]["image"]) as response:
            assert response.content_type == "image/png"
            assert (await response.read()).startswith(b"\x89PNG")
    async with app.http.get(f"{app.base}/gifts/none.png") as response:
        assert response.status == 404


async def test_a_gift_in_a_live_answers_with_the_new_wallet(
    app: App, pool: Pool
) -> None:
    fan, star = await rich(app), await app.sign_in("star")
    session = await new_session(pool, star.id)
    msg = await fan.ask(
        "sendGift",
        {
            "sender_id": str(fan.id),
            "receiver_id": str(star.id),
            "gift_id": HEART,
            "gift_count": 2,
            "live_streaming_id": str(session),
        },
    )
    assert msg["User"]["wallet"] == 400
    assert msg["User"]["auth_token"] == fan.token
    assert set(msg) >= {"PushNotification", "PrivacySetting", "Gift", "GiftSend"}
    assert msg["GiftSend"]["live_streaming_id"] == session
    assert msg["GiftSend"]["coin"] == 100
    own = (await star.ask("showUserDetail"))["User"]
    assert (own["wallet"], own["total_all_time_coins"]) == (100, 100)


async def test_every_number_may_be_text(app: App) -> None:
    """As the documentation of the apps writes it."""
    fan, star = await rich(app), await app.sign_in("star")
    body = {
        "sender_id": str(fan.id),
        "receiver_id": str(star.id),
        "gift_id": str(ROSE),
        "gift_count": "1",
        "video_id": "",
    }
    assert (await fan.ask("sendGift", body))["User"]["wallet"] == 490


REFUSED_GIFTS: list[tuple[Json, int, str]] = [
    ({"gift_count": 999}, 201, "You do not have enough coins to send gift"),
    ({"gift_count": -1}, 201, "You can send 1 to 999 of a gift at once."),
    ({"gift_count": "many"}, 400, "gift_count must be a whole number."),
    ({"gift_id": 4711}, 201, "EMPTY: NO RECORD IN THE DATABASE"),
    ({"receiver_id": ""}, 400, "receiver_id is missing."),
    ({"live_streaming_id": "4711"}, 201, "EMPTY: NO RECORD IN THE DATABASE"),
    ({"sender_id": "4711"}, 201, "You can only send gifts as yourself."),
]


async def test_a_refused_gift_says_why(app: App) -> None:
    fan, star = await rich(app), await app.sign_in("star")
    good = {"receiver_id": star.id, "gift_id": ROSE, "gift_count": 1}
    for change, code, sentence in REFUSED_GIFTS:
        refused = await fan.refused("sendGift", good | change)
        assert refused == {"code": code, "msg": sentence}


async def test_a_guest_sends_nothing(app: App) -> None:
    body = {"receiver_id": 1, "gift_id": ROSE, "gift_count": 1}
    for name in ("sendGift", "purchaseCoin", "withdrawRequest", "addPayout"):
        assert (await app.refused(name, body))["code"] == 401


async def keyed(who: Account, name: str, body: Json, key: str) -> Json:
    headers = {"Auth-Token": who.token, "idempotency-key": key}
    return await who.app.raw(name, json.dumps(body), headers)


async def test_the_idempotency_key_of_a_request_counts_once(app: App) -> None:
    fan, star = await rich(app), await app.sign_in("star")
    body = {"receiver_id": star.id, "gift_id": ROSE, "gift_count": 1}
    first = await keyed(fan, "sendGift", body, "k1")
    assert await keyed(fan, "sendGift", body, "k1") == first
    other = await keyed(fan, "sendGift", body | {"gift_count": 2}, "k1")
    assert other["code"] == 201
    assert (await keyed(fan, "withdrawRequest", {"coin": 1}, "k1"))["code"] == 201
    assert (await keyed(fan, "sendGift", body, "k2"))["msg"]["User"]["wallet"] == 480
    assert (await keyed(fan, "sendGift", body, "x" * 201))["code"] == 400


async def test_without_a_key_each_gift_counts(app: App) -> None:
    fan, star = await rich(app), await app.sign_in("star")
    body = {"receiver_id": star.id, "gift_id": ROSE, "gift_count": 1}
    for wallet in (490, 480):
        assert (await fan.ask("sendGift", body))["User"]["wallet"] == wallet


async def test_a_test_purchase_is_marked(app: App) -> None:
    fan = await app.sign_in("fan")
    msg = await fan.ask("purchaseCoin", ANDROID | {"user_id": str(fan.id)})
    assert msg["User"]["wallet"] == 500
    assert msg["Transaction"]["test"] is True
    bought = msg["PurchaseCoin"]
    assert (bought["coin"], bought["price"]) == (500, 5)
    for name in ("id", "user_id", "coin", "price"):
        assert type(bought[name]) is int
    again = await fan.ask("purchaseCoin", ANDROID)
    assert again["PurchaseCoin"]["id"] == bought["id"]
    assert again["User"]["wallet"] == 500


async def test_ios_may_write_coins_with_separators(app: App) -> None:
    fan = await app.sign_in("fan")
    body = {
        "coin": "2,000",
        "price": "$20.00",
        "transaction_id": "1000000",
        "device": "iOS",
    }
    assert (await fan.ask("purchaseCoin", body))["User"]["wallet"] == 2000


REFUSED_PURCHASES: list[tuple[Json, int]] = [
    ({"transaction_id": ""}, 400),
    ({"device": "fridge"}, 400),
    ({"coin": "123"}, 201),
    ({"coin": "-500 000 000 000"}, 201),
    ({"user_id": "4711"}, 201),
]


async def test_a_refused_purchase_says_why(app: App) -> None:
    fan = await app.sign_in("fan")
    for change, code in REFUSED_PURCHASES:
        refused = await fan.refused("purchaseCoin", ANDROID | change)
        assert (refused["code"], type(refused["error"])) == (code, str)
        # iOS empties the wallet it shows at an answer without one (docs/apps.md).
        assert refused["msg"]["User"]["wallet"] == 0
        assert refused["msg"]["PurchaseCoin"]["coin"] == 0


async def test_the_store_decides_how_many_coins(
    app_with_stores: App, apple: FakeApple, google: FakeGoogle
) -> None:
    fan = await app_with_stores.sign_in("fan")
    google.bought("abc.AO-J1", "buy100coins")
    lie = ANDROID | {"coin": "10000", "price": "0"}
    assert (await fan.ask("purchaseCoin", lie))["User"]["wallet"] == 100
    apple.bought("7")
    body = {"coin": "10000", "transaction_id": "7", "device": "iOS"}
    msg = await fan.ask("purchaseCoin", body)
    assert msg["User"]["wallet"] == 600
    assert msg["Transaction"]["price_minor"] == 499
    assert msg["Transaction"]["test"] is False
    unknown = await fan.refused("purchaseCoin", body | {"transaction_id": "8"})
    assert unknown["error"] == "The store does not know this purchase."
    assert unknown["msg"]["User"]["wallet"] == 600


async def test_apple_tells_of_a_refund(app_with_stores: App, apple: FakeApple) -> None:
    fan = await app_with_stores.sign_in("fan")
    said = apple.bought("7")
    await fan.ask("purchaseCoin", {"transaction_id": "7", "device": "iOS"})
    url = f"{app_with_stores.base}/stores/apple/notifications"
    notification = apple.notification("REFUND", said)
    for _ in range(2):
        async with app_with_stores.http.post(url, json=notification) as response:
            assert response.status == 200
    assert (await fan.ask("showUserDetail"))["User"]["wallet"] == 0


async def test_apples_notification_may_come_in_pieces(
    app_with_stores: App, apple: FakeApple
) -> None:
    fan = await app_with_stores.sign_in("fan")
    said = apple.bought("7")
    await fan.ask("purchaseCoin", {"transaction_id": "7", "device": "iOS"})
    body = json.dumps(apple.notification("REFUND", said)).encode()

    async def pieces() -> AsyncIterator[bytes]:
        yield body[:100]
        await asyncio.sleep(0.05)
        yield body[100:]

    url = f"{app_with_stores.base}/stores/apple/notifications"
    async with app_with_stores.http.post(url, data=pieces()) as response:
        assert response.status == 200
    assert (await fan.ask("showUserDetail"))["User"]["wallet"] == 0


async def test_a_refund_that_apple_sends_again_after_reversing_it_takes_nothing(
    app_with_stores: App, apple: FakeApple
) -> None:
    """As it does when our answer to the first is lost: as it was signed then."""
    fan = await app_with_stores.sign_in("fan")
    said = apple.bought("7")
    await fan.ask("purchaseCoin", {"transaction_id": "7", "device": "iOS"})
    now = said["signedDate"]
    refund = apple.notification("REFUND", said, signedDate=now)
    reversal = apple.notification("REFUND_REVERSED", said, signedDate=now + 1)
    url = f"{app_with_stores.base}/stores/apple/notifications"
    wallets = []
    for told in (refund, reversal, refund, reversal):
        async with app_with_stores.http.post(url, json=told) as response:
            assert response.status == 200
        wallets.append((await fan.ask("showUserDetail"))["User"]["wallet"])
    assert wallets == [0, 500, 500, 500]


async def test_a_notification_of_somebody_else_is_refused(
    app_with_stores: App,
) -> None:
    url = f"{app_with_stores.base}/stores/apple/notifications"
    sent = {b"{": 400, b"[]": 400, b'{"signedPayload": "a.b.c"}': 401}
    for data, status in sent.items():
        async with app_with_stores.http.post(url, data=data) as response:
            assert response.status == status


async def test_apple_is_asked_for_refunds_that_it_could_not_tell(
    app_with_stores: App, apple: FakeApple
) -> None:
    fan = await app_with_stores.sign_in("fan")
    said = apple.bought("7")
    await fan.ask("purchaseCoin", {"transaction_id": "7", "device": "iOS"})
    apple.remember("REFUND", said)

    async def taken_back() -> bool:
        user = (await fan.ask("showUserDetail"))["User"]
        return bool(user["wallet"] == 0)

    await until(taken_back)


async def test_a_refund_told_of_another_app_is_counted(
    app_with_stores: App, apple: FakeApple
) -> None:
    """Where the app's id is mistyped purchases go on, and each refund is refused."""
    data = {"bundleId": BUNDLE, "appAppleId": APP_ID + 1, "environment": "Production"}
    notification = apple.notification("REFUND", apple.bought("7"), data=data)
    url = f"{app_with_stores.base}/stores/apple/notifications"
    async with app_with_stores.http.post(url, json=notification) as response:
        assert response.status == 401
    refused = 'control_plane_store_notices_refused_total{reason="another_app"}'
    assert refused in exposition()[0].decode()


async def test_google_is_asked_for_refunds(
    app_with_stores: App, google: FakeGoogle
) -> None:
    fan = await app_with_stores.sign_in("fan")
    google.bought("abc.AO-J1")
    await fan.ask("purchaseCoin", ANDROID)
    google.voided.append("abc.AO-J1")

    async def taken_back() -> bool:
        user = (await fan.ask("showUserDetail"))["User"]
        return bool(user["wallet"] == 0)

    await until(taken_back)


async def test_coin_worth_and_packages_need_no_body(app: App) -> None:
    answer = await app.raw("showCoinWorth")
    worth = answer["msg"]["CoinWorth"]
    assert (worth["id"], worth["price"]) == (1, 0.01)
    packages = answer["msg"]["CoinPackages"]
    assert [(one["coin"], one["price"]) for one in packages] == [
        (100, 1.0),
        (500, 5.0),
        (2000, 20.0),
        (5000, 50.0),
        (10000, 100.0),
    ]


async def earner(app: App, pool: Pool) -> Account:
    """Given coins that can be paid out: not those of a test purchase."""
    fan, star = await app.sign_in("giver"), await app.sign_in("star")
    await Ledger(pool).give_bonus(fan.id, 500, "", "")
    body = {"receiver_id": star.id, "gift_id": HEART, "gift_count": 10}
    await fan.ask("sendGift", body)
    return star


async def test_a_withdrawal_as_android_asks_for_it(app: App, pool: Pool) -> None:
    star = await earner(app, pool)
    body = {
        "user_id": str(star.id),
        "coin": "150.0",
        "amount": "99999.0",
        "email": "star@example.com",
    }
    msg = await star.ask("withdrawRequest", body)
    request = msg["WithdrawRequest"]
    assert (request["coin"], request["amount"], request["status"]) == (150, 1.5, 0)
    assert msg["User"]["wallet"] == 350
    assert await star.refused("withdrawRequest", body) == {
        "code": 201,
        "msg": "You have already requested a payout.",
    }
    history = await star.ask("showWithdrawalHistory", {})
    assert [one["WithdrawRequest"]["id"] for one in history] == [request["id"]]


async def test_a_withdrawal_may_name_the_amount_only(app: App, pool: Pool) -> None:
    star = await earner(app, pool)
    body = {"user_id": star.id, "amount": "1.50", "email": "star@example.com"}
    msg = await star.ask("withdrawRequest", body)
    assert msg["WithdrawRequest"]["coin"] == 150


REFUSED_WITHDRAWALS: list[tuple[Json, int]] = [
    ({"coin": "150"}, 201),
    ({"coin": "501", "email": "a@b.c"}, 201),
    ({"coin": "-1", "email": "a@b.c"}, 400),
    ({"coin": "1e400", "email": "a@b.c"}, 400),
    ({"amount": "NaN", "email": "a@b.c"}, 400),
    ({"amount": "1e999999", "email": "a@b.c"}, 400),
    ({"amount": "1e9999999", "email": "a@b.c"}, 400),
    ({"amount": "-1e9999999", "email": "a@b.c"}, 400),
    ({"amount": "1e-9999999", "email": "a@b.c"}, 201),
    ({}, 400),
]


async def test_a_refused_withdrawal_says_why(app: App, pool: Pool) -> None:
    star = await earner(app, pool)
    for body, code in REFUSED_WITHDRAWALS:
        refused = await star.refused("withdrawRequest", body)
        assert (refused["code"], type(refused["msg"])) == (code, str)


async def test_nobody_withdraws_for_somebody_else(app: App, pool: Pool) -> None:
    star = await earner(app, pool)
    body = {"user_id": star.id + 1, "coin": 150, "email": "a@b.c"}
    assert (await star.refused("withdrawRequest", body))["code"] == 201


async def test_a_payout_method_is_kept_and_shown(app: App, pool: Pool) -> None:
    star = await earner(app, pool)
    assert (await star.refused("showPayout", {}))["code"] == 201
    msg = await star.ask("addpayout", {"value": "a@b.c", "type": "Paypal"})
    assert msg["Payout"]["value"] == "a@b.c"
    assert msg["User"]["wallet"] == 500
    await star.ask("addPayout", {"user_id": str(star.id), "paypal": "new@b.c"})
    payout = (await star.ask("showPayout", {}))["Payout"]
    assert (payout["value"], payout["primary"], payout["type"]) == (
        "new@b.c",
        1,
        "Paypal",
    )
    assert (await star.refused("addPayout", {"type": "bank"}))["code"] == 400
    msg = await star.ask("withdrawRequest", {"coin": "150"})
    assert msg["WithdrawRequest"]["email"] == "new@b.c"


async def test_a_deleted_account_keeps_its_entries_and_no_address(
    app: App, pool: Pool
) -> None:
    star = await earner(app, pool)
    await star.ask("addPayout", {"value": "a@b.c", "type": "Paypal"})
    await star.ask("deleteUserAccount", {"user_id": str(star.id)})
    assert await pool.fetchval("SELECT count(*) FROM payout_methods") == 0
    assert (await ledger.balances(pool, star.id)).earnings == 500
    fan = await rich(app)
    body = {"receiver_id": star.id, "gift_id": ROSE, "gift_count": 1}
    assert (await fan.refused("sendGift", body))["code"] == 201


async def test_who_gave_and_who_got_most(app: App, pool: Pool) -> None:
    assert (await app.refused("showUsersAccordingToGiftSent"))["code"] == 201
    one, two, star = (
        await rich(app, "one"),
        await rich(app, "two"),
        await earner(app, pool),
    )
    session = await new_session(pool, star.id)
    for fan, count in ((one, 2), (two, 3)):
        body = {"gift_id": ROSE, "gift_count": count, "live_streaming_id": session}
        await fan.ask("sendGift", body)
    in_live = {"live_streaming_id": str(session)}
    givers = await app.ask("showUsersAccordingToGiftSent", in_live)
    assert [(line["User"]["username"], line["coin"]) for line in givers] == [
        ("two", 30),
        ("one", 20),
    ]
    got = await app.ask("showUsersAccordingToGiftReceive", {"type": "hour"})
    assert [(line["User"]["username"], line["coin"]) for line in got] == [("star", 550)]
    assert got[0]["User"]["wallet"] == 0
    refused = await app.refused("showUsersAccordingToGiftSent", {"type": "era"})
    assert refused["code"] == 400
