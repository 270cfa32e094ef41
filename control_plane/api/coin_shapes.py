"""Gifts, purchases and payouts as the apps decode them (docs/apps.md)."""

from control_plane.coins.model.gifts import Gift, SentGift
from control_plane.coins.model.money import CoinWorth
from control_plane.coins.model.payouts import PayoutMethod, WithdrawRequest
from control_plane.coins.model.purchases import Package, Purchase
from control_plane.web.snapshots import Json, when

STATUS = {"pending": 0, "paid": 1, "rejected": 2}


def absolute(address: str, base: str) -> str:
    """A path that begins with / is on this server; iOS takes any text as it is."""
    return base + address if address.startswith("/") else address


def gift(of: Gift, base: str) -> Json:
    image = absolute(of.image, base)
    return {
        "id": of.id,
        "title": of.title,
        "image": image,
        "icon": absolute(of.icon, base) or image,
        "coin": of.coins,
        "type": of.type,
        "featured": int(of.featured),
        "time": of.time,
        "position": of.position,
        "created": when(of.created_at),
    }


def sent(of: SentGift, what: Gift, base: str) -> Json:
    return {
        "id": of.id,
        "gift_id": of.gift_id,
        "sender_id": of.sender_id,
        "receiver_id": of.receiver_id,
        "video_id": of.video_id,
        "live_streaming_id": of.session_id,
        "coin": of.coins,
        "count": of.count,
        "image": absolute(what.image, base),
        "title": what.title,
        "created": "",
    }


def purchase(of: Purchase) -> Json:
    return {
        "id": of.id,
        "user_id": of.user_id,
        "title": of.title,
        "coin": of.coins,
        # iOS drops the whole answer when this is no integer.
        "price": of.price.rounded,
        "transaction_id": of.transaction_id,
        "device": of.device,
        "created": when(of.created_at),
    }


def nothing_bought(user_id: int) -> Json:
    return {
        "id": 0,
        "user_id": user_id,
        "title": "",
        "coin": 0,
        "price": 0,
        "transaction_id": "",
        "device": "",
        "created": "",
    }


def transaction(of: Purchase) -> Json:
    """The same for newer clients, in exact money."""
    return purchase(of) | {
        "type": "purchase",
        "status": of.status,
        "store": of.store,
        "test": of.environment != "production",
        "price_minor": of.price_minor,
        "currency": of.currency,
    }


def package(of: Package) -> Json:
    return {
        "id": of.id,
        "title": f"{of.coins} coins",
        "coin": of.coins,
        "coins": of.coins,
        "price": float(of.price.units),
        "currency": of.currency,
    }


def coin_worth(of: CoinWorth) -> Json:
    return {"id": 1, "price": float(of.price), "currency": of.currency}


def payout(of: PayoutMethod) -> Json:
    return {
        "id": of.id,
        "user_id": of.user_id,
        "type": of.type,
        "value": of.value,
        "primary": int(of.primary),
        "created": when(of.created_at),
    }


def withdraw_request(of: WithdrawRequest) -> Json:
    return {
        "id": of.id,
        "user_id": of.user_id,
        "amount": float(of.amount.units),
        "currency": of.currency,
        "coin": of.coins,
        "status": STATUS[of.status],
        "email": of.destination,
        "created": when(of.created_at),
        "updated": when(of.updated_at),
    }
