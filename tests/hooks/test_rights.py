"""Who may watch: what a session's policy lets in, and who may not any more."""

import pytest

from control_plane.base.database import open_pool
from control_plane.live.service import rights
from tests.hooks.conftest import Json, Service, publish, read
from tests.support.client import Account
from tests.support.stack import until


class Town:
    """Ann is live; Bob and Carl watch."""

    def __init__(self, service: Service, ann: Account, live: Json) -> None:
        self.service = service
        self.ann = ann
        self.live = live
        self.id = live["id"]

    async def token(self, of: Account | None = None, old: str = "") -> str:
        """What ``watch`` gives; empty when it refuses."""
        body = {"id": self.id, "token": old}
        answer = await self.service.call("watch", body, of.token if of else "")
        return str(answer["msg"]["Watch"]["token"]) if answer["code"] == 200 else ""

    async def may_watch(self, token: str = "") -> bool:
        query = f"token={token}" if token else ""
        return await self.service.auth(read(self.live["path"], query=query)) == 200

    async def until_out(self, token: str = "") -> None:
        """Once the notice is heard."""

        async def out() -> bool:
            return not await self.may_watch(token)

        await until(out)

    async def policy(self, policy: str) -> None:
        await self.ann.ask("setLivePolicy", {"id": self.id, "policy": policy})


@pytest.fixture
async def town(service: Service) -> Town:
    ann = await service.app.sign_in("ann")
    live = (await ann.ask("liveStream", {}))["LiveStreaming"]
    await service.publish(live)
    return Town(service, ann, live)


async def _follow(one: Account, other: Account) -> None:
    await one.ask("followUser", {"sender_id": one.id, "receiver_id": other.id})


async def test_a_public_one_is_everybodys(town: Town) -> None:
    assert await town.may_watch()
    assert await town.may_watch(await town.token())


async def test_a_policy_is_chosen_at_the_start(service: Service) -> None:
    ann = await service.app.sign_in("ann")
    live = (await ann.ask("liveStream", {"policy": "token"}))["LiveStreaming"]
    assert live["policy"] == "token"
    await service.publish(live)
    town = Town(service, ann, live)
    assert not await town.may_watch()
    assert await town.may_watch(await town.token())


async def test_a_token_is_needed_once_the_policy_says_so(town: Town) -> None:
    before = await town.token()
    assert await town.may_watch(before)
    await town.policy("token")
    await town.until_out()
    await town.until_out(before)
    assert await town.may_watch(await town.token(old=before))


async def test_followers_only(service: Service, town: Town) -> None:
    bob, carl = await service.app.sign_in("bob"), await service.app.sign_in("carl")
    await _follow(bob, town.ann)
    early = await town.token(carl)
    await town.policy("followers")
    await town.until_out(early)
    assert await town.may_watch(await town.token(bob))
    assert await town.may_watch(await town.token(town.ann))
    assert not await town.token(carl)
    assert not await town.token()
    await _follow(carl, town.ann)
    assert await town.may_watch(await town.token(carl))


async def test_a_token_of_an_earlier_broadcast_opens_no_closed_one(
    service: Service, owner_url: str
) -> None:
    """On a channel's path, which stays the same."""
    ann = await service.app.sign_in("ann")
    key = (await ann.ask("streamKeys", {}))["StreamKey"]
    first = await _on_channel(service, ann, key, "s1")
    for policy in ("token", "public", "token"):
        await first.policy(policy)
    old = await first.token()
    assert await first.may_watch(old)
    await ann.ask("liveStream", {"id": first.id, "ended_at": "now"})
    async with open_pool(owner_url) as owner:
        await owner.execute("UPDATE channels SET closed_until = NULL")
    second = await _on_channel(service, ann, key, "s2")
    assert second.id != first.id
    await second.policy("followers")
    await second.until_out(old)


async def _on_channel(service: Service, ann: Account, key: Json, source: str) -> Town:
    payload = publish("live/ann", key["key"], id=source)
    assert await service.lets_in(payload)
    assert await service.hook("ready", "live/ann", source) == 204
    shown = await service.ask("showLiveStream", {"name": "ann"})
    return Town(service, ann, shown["LiveStreaming"])


async def test_an_account_that_is_denied(service: Service, town: Town) -> None:
    bob, carl = await service.app.sign_in("bob"), await service.app.sign_in("carl")
    await town.policy("token")
    tokens = [await town.token(bob), await town.token(bob), await town.token(carl)]
    body = {"id": town.id, "viewer_user_id": bob.id}
    await town.ann.ask("denyViewer", body)
    await town.until_out(tokens[0])
    await town.until_out(tokens[1])
    assert await town.may_watch(tokens[2])
    assert not await town.token(bob)
    await town.ann.ask("denyViewer", body)  # a second time changes nothing


async def test_one_viewer_that_is_denied(town: Town) -> None:
    await town.policy("token")
    one, other = await town.token(), await town.token()
    viewer = (await town.service.ask("watch", {"id": town.id, "token": one}))["Watch"][
        "viewer"
    ]
    await town.ann.ask("denyViewer", {"id": town.id, "viewer": viewer})
    await town.until_out(one)
    assert await town.may_watch(other)
    assert not await town.token(old=one)


async def test_everybody_has_to_ask_again(town: Town) -> None:
    await town.policy("token")
    tokens = [await town.token(), await town.token()]
    await town.ann.ask("denyViewer", {"id": town.id, "all": 1})
    for token in tokens:
        await town.until_out(token)
    assert await town.may_watch(await town.token(old=tokens[0]))


async def test_only_the_host_decides(service: Service, town: Town) -> None:
    bob = await service.app.sign_in("bob")
    for name, body in (
        ("setLivePolicy", {"id": town.id, "policy": "token"}),
        ("denyViewer", {"id": town.id, "all": 1}),
    ):
        assert (await bob.call(name, body))["code"] != 200
    assert await town.may_watch()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("setLivePolicy", {"policy": "nobody"}),
        ("setLivePolicy", {}),
        ("denyViewer", {}),
        ("denyViewer", {"viewer": "x", "all": 1}),
        ("denyViewer", {"viewer": "x" * 65}),
    ],
)
async def test_what_cannot_be_meant(town: Town, name: str, body: Json) -> None:
    answer = await town.ann.call(name, {"id": town.id, **body})
    assert answer["code"] == 400
    assert await town.may_watch()


async def test_an_old_node_forgets_whom_it_admitted(town: Town) -> None:
    """Before v1.8.3 an address goes on without its token, but not past a denial."""

    def old(query: str) -> Json:
        payload = read(town.live["path"], query=query, id=None)
        return {k: v for k, v in payload.items() if k not in ("token", "userAgent")}

    await town.policy("token")
    token = await town.token()
    assert await town.service.auth(old(f"token={token}")) == 200
    assert await town.service.auth(old("")) == 200
    await town.ann.ask("denyViewer", {"id": town.id, "all": 1})

    async def out() -> bool:
        return await town.service.auth(old("")) == 401

    await until(out)


async def test_a_session_keeps_out_so_many(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "MOST_DENIED", 2)
    for viewer in "ab":
        await town.ann.ask("denyViewer", {"id": town.id, "viewer": viewer})
    refused = await town.ann.call("denyViewer", {"id": town.id, "viewer": "c"})
    assert refused["code"] == 201
    assert "are kept out already" in refused["msg"]
    await town.ann.ask("denyViewer", {"id": town.id, "all": 1})
