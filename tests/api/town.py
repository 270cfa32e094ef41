"""A server where everything has happened once: shapes show only with content."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from control_plane.live.service.lifecycle import Source
from control_plane.wiring.services import Services
from tests.support.api import Account, App, Json
from tests.support.nodes import NEWEST

Post = Callable[[Account, str], Awaitable[None]]


@dataclass(frozen=True)
class Town:
    """Where everything has happened once: ann and bob follow each other, both have
    posted, given and been given; bob is live."""

    ann: Account
    bob: Account
    eve: Account
    video: int  # bob's, which ann likes
    live: str  # bob's


async def build(app: App, post: Post, opened: Services) -> Town:
    ann, bob = (
        await app.sign_in("ann", email="ann@example.com"),
        await app.sign_in("bob"),
    )
    eve = await app.sign_in("eve")
    for one, other in ((ann, bob), (bob, ann), (eve, bob), (ann, eve)):
        await one.ask("followUser", {"sender_id": one.id, "receiver_id": other.id})
    for author, name in ((ann, "a"), (ann, "secret"), (bob, "b"), (eve, "e")):
        await post(author, name)
    await opened.pool.execute(
        "UPDATE videos SET privacy_type = 'private' WHERE description = 'secret'"
    )
    video = (await bob.ask("showVideosAgainstUserID"))["public"][0]["Video"]["id"]
    await ann.ask("likeVideo", {"video_id": video})
    live_id = await _go_live(bob, opened)
    await _give(ann, bob, {"live_streaming_id": live_id, "video_id": video}, opened)
    await _give(bob, ann, {}, opened)
    return Town(ann, bob, eve, video, live_id)


async def _go_live(host: Account, opened: Services) -> str:
    started = (await host.ask("liveStream", {"title": "Hello"}))["LiveStreaming"]
    session = await opened.broadcasts.get(int(started["id"]))
    source = Source(session.node, session.path, "rtmpConn", "encoder")
    assert await opened.lifecycle.ready(source, listed_at=NEWEST) == "started"
    return str(started["id"])


async def _give(fan: Account, star: Account, places: Json, opened: Services) -> None:
    """Coins that can be paid out; once in each place, and once in none."""
    await opened.coins.ledger.give_bonus(fan.id, 1000, "", "")
    for place in ({}, *({name: value} for name, value in places.items())):
        await fan.ask("sendGift", gift(fan, star) | {"gift_count": 20} | place)


def gift(fan: Account, star: Account) -> Json:
    return {
        "sender_id": str(fan.id),
        "receiver_id": str(star.id),
        "gift_id": 1,
        "gift_count": 1,
    }


def purchase(name: str) -> Json:
    return {
        "coin": "5000",
        "title": "5000 coins",
        "price": "$50.00",
        "transaction_id": name,
        "device": "android",
    }
