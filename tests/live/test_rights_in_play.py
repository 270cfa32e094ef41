"""A right that ends while its viewer watches: seen during play, and cut."""

import pytest
import pytest_asyncio

from tests.support.client import Account
from tests.support.process import Process
from tests.support.stack import Json, Stack, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Show:
    """Ann is live; Bob watches."""

    def __init__(self, stack: Stack, ann: Account, bob: Account, live: Json) -> None:
        self.stack = stack
        self.ann = ann
        self.bob = bob
        self.id = live["id"]

    async def address(self, of: Account) -> str:
        watch = (await of.ask("watch", {"id": self.id}))["Watch"]
        return str(watch["playback_url"])

    async def watched_by(self, of: Account) -> tuple[str, Process]:
        """Once it is counted."""
        url = await self.address(of)
        viewer = await self.stack.watch(url)
        await self.stack.viewers(self.id, 1)
        return url, viewer

    async def gives(self, url: str) -> bool:
        async with self.stack.http.get(url) as response:
            return response.status == 200

    async def until_closed(self, url: str) -> None:
        async def closed() -> bool:
            return not await self.gives(url)

        await until(closed)

    async def until_cut(self, url: str) -> None:
        """The address opens nothing any more, and nobody gets anything."""
        await self.until_closed(url)
        await self.stack.viewers(self.id, 0)


@pytest_asyncio.fixture(loop_scope="session")
async def show(stack: Stack) -> Show:
    ann, bob = [
        await stack.app.sign_in(f"{name}{stack.unique()}") for name in ("ann", "bob")
    ]
    live = await stack.go_live(ann.token)
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    return Show(stack, ann, bob, live)


async def _toggle_following(one: Account, other: Account) -> None:
    await one.ask("followUser", {"sender_id": one.id, "receiver_id": other.id})


async def test_who_stops_following_sees_nothing_more(show: Show) -> None:
    await _toggle_following(show.bob, show.ann)
    await show.ann.ask("setLivePolicy", {"id": show.id, "policy": "followers"})
    url, _viewer = await show.watched_by(show.bob)
    await _toggle_following(show.bob, show.ann)
    await show.until_cut(url)
    assert (await show.bob.call("watch", {"id": show.id}))["code"] == 201
    await _toggle_following(show.bob, show.ann)
    assert await show.gives(await show.address(show.bob))
    assert not await show.gives(url)


async def test_who_signs_out_everywhere_sees_nothing_more(show: Show) -> None:
    await show.ann.ask("setLivePolicy", {"id": show.id, "policy": "token"})
    url, _viewer = await show.watched_by(show.bob)
    await show.bob.ask("logout", {"everywhere": 1})
    await show.until_cut(url)
    back = await show.stack.app.sign_in(show.bob.username)
    assert await show.gives(await show.address(back))


async def test_who_may_watch_goes_on(show: Show) -> None:
    await _toggle_following(show.bob, show.ann)
    await show.ann.ask("setLivePolicy", {"id": show.id, "policy": "followers"})
    guest = await show.stack.app.sign_in(f"carl{show.stack.unique()}")
    await _toggle_following(guest, show.ann)
    going, viewer = await show.watched_by(show.bob)
    ended = await show.address(guest)
    await show.stack.watch(ended)
    await show.stack.viewers(show.id, 2)
    await _toggle_following(guest, show.ann)
    await show.stack.viewers(show.id, 1)
    assert viewer.running
    assert await show.gives(going)


async def test_a_banned_device_is_cut(show: Show) -> None:
    stack = show.stack
    phone = f"phone {stack.unique()}"
    watch = await show.bob.ask("watch", {"id": show.id, "device_id": phone})
    url = watch["Watch"]["playback_url"]
    other, viewer = await show.watched_by(show.ann)
    await stack.watch(url)
    await stack.viewers(show.id, 2)
    await stack.command("ban", "--device", phone)
    await show.until_closed(url)
    await stack.viewers(show.id, 1)
    assert viewer.running
    assert await show.gives(other)


async def test_a_banned_account_is_cut_where_it_watches(show: Show) -> None:
    url, _viewer = await show.watched_by(show.bob)
    await show.stack.command("ban", str(show.bob.id))
    await show.until_cut(url)
    assert (await show.stack.show(show.id))["status"] == "live"


async def test_a_banned_device_publishes_no_more(stack: Stack) -> None:
    ann = await stack.app.sign_in(f"ann{stack.unique()}")
    phone = f"phone {stack.unique()}"
    live = await stack.go_live(ann.token, device_id=phone)
    encoder = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    await stack.command("ban", "--device", phone)
    await encoder.ended()
    again = await stack.publish(live["rtmp_url"])
    assert await again.ended() != 0
    said = await stack.call("liveStream", {"device_id": phone}, ann.token)
    assert said["code"] == 201


async def test_a_banned_address_neither_publishes_nor_watches(show: Show) -> None:
    """All of this is one address."""
    stack = show.stack
    url, _viewer = await show.watched_by(show.bob)
    try:
        await stack.command("ban", "--address", "127.0.0.0/8")
        await stack.status(show.id, "reconnecting")
        await show.until_cut(url)
    finally:
        await stack.command("unban", "--address", "127.0.0.0/8")
    assert (await stack.show(show.id))["status"] == "reconnecting"


async def test_the_oldest_player_of_an_account_makes_room(show: Show) -> None:
    bob, body = show.bob, {"id": show.id}
    first = (await bob.ask("watch", body))["Watch"]
    second, viewer = await show.watched_by(bob)
    assert await show.gives(first["playback_url"])
    third = await show.address(bob)
    await show.until_closed(first["playback_url"])
    assert await show.gives(second)
    assert await show.gives(third)
    assert viewer.running
    again = await bob.refused("watch", body | {"token": first["token"]})
    assert "another device" in again["msg"]
    await show.address(bob)  # somebody asks anew, on purpose
    await show.until_cut(second)
