"""Following, blocking, reporting, searching."""

import asyncio

import pytest

from control_plane.web import body as bodies
from tests.support.api import Account, App, Json


async def _follow(who: Account, whom: Account) -> Json:
    body = {"sender_id": str(who.id), "receiver_id": str(whom.id)}
    msg = await who.ask("followUser", body)
    user: Json = msg["User"]
    return user


async def test_the_button_says_what_is_between_two_people(app: App) -> None:
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")

    assert (await ann.sees(bob))["button"] == "follow"
    assert (await _follow(ann, bob))["button"] == "following"
    assert (await bob.sees(ann))["button"] == "follow back"
    assert (await _follow(bob, ann))["button"] == "Friends"
    assert (await ann.sees(bob))["button"] == "Friends"
    assert (await _follow(ann, bob))["button"] == "follow back"
    assert (await bob.sees(ann))["button"] == "following"


async def test_followers_are_counted_and_listed(app: App) -> None:
    star = await app.sign_in("star")
    fans = [await app.sign_in(f"fan{i}") for i in range(12)]
    for fan in fans:
        await _follow(fan, star)

    seen = await fans[0].sees(star)
    assert (seen["followers_count"], seen["follower_count"]) == (12, 12)
    assert (await star.sees(fans[0]))["following_count"] == 1
    names: list[str] = []
    for page in ("0", "1"):
        body = {"user_id": str(star.id), "starting_point": page}
        listed = await app.ask("showFollowers", body)
        names += [line["User"]["username"] for line in listed]
        assert all(line["FollowerList"] == line["User"] for line in listed)
    assert names == [f"fan{i}" for i in reversed(range(12))]
    end = await app.refused("showFollowers", {"user_id": star.id, "starting_point": 2})
    assert end == {"code": 201, "msg": "EMPTY: NO RECORD IN THE DATABASE"}
    mine = await fans[3].ask("showFollowing", {"starting_point": "0"})
    assert [line["User"]["username"] for line in mine] == ["star"]
    assert mine[0]["User"]["button"] == "following"


async def test_a_list_ends_at_its_last_page(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "LAST_PAGE", 0)
    star = await app.sign_in("star")
    for i in range(11):
        await _follow(await app.sign_in(f"fan{i}"), star)
    asked = {"user_id": str(star.id), "starting_point": "1"}
    end = await app.refused("showFollowers", asked)
    assert end == {"code": 201, "msg": "EMPTY: NO RECORD IN THE DATABASE"}


async def test_two_people_who_toggle_at_once_end_with_right_counts(app: App) -> None:
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")

    toggles = [_follow(*pair) for _ in range(5) for pair in ((ann, bob), (bob, ann))]
    await asyncio.gather(*toggles)

    one, other = await ann.sees(bob), await bob.sees(ann)
    assert one["button"] == other["button"] == "Friends"
    assert one["followers_count"] == other["followers_count"] == 1
    assert one["following_count"] == other["following_count"] == 1


async def test_following_is_refused_where_it_makes_no_sense(app: App) -> None:
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")

    for body in (
        {"sender_id": ann.id, "receiver_id": ann.id},
        {"sender_id": ann.id, "receiver_id": 999_999},
        {"sender_id": bob.id, "receiver_id": bob.id},
        {"receiver_id": "0"},
        {"receiver_id": "bob"},
        {},
    ):
        answer = await ann.refused("followUser", body)
        assert answer["msg"]["User"]["id"] == 0  # iOS decodes an account
        assert answer["error"]
    assert (await ann.sees(bob))["followers_count"] == 0


async def test_a_block_ends_following_and_hides_both_ways(app: App) -> None:
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
    await _follow(ann, bob)
    await _follow(bob, ann)

    blocked = await ann.ask("blockUser", {"block_user_id": str(bob.id)})

    assert blocked["BlockUser"]["user_id"] == ann.id
    assert blocked["BlockedUser"]["username"] == "bob"
    seen = await ann.sees(bob)
    assert (seen["block"], seen["followers_count"], seen["button"]) == (1, 0, "follow")
    assert seen["BlockUser"]["user_id"] == ann.id
    assert (await bob.sees(ann))["BlockUser"]["user_id"] == ann.id
    for one, other in ((ann, bob), (bob, ann)):
        body = {"sender_id": one.id, "receiver_id": other.id}
        assert (await one.refused("followUser", body))["code"] == 201
        found = {"type": "user", "keyword": other.username, "starting_point": "0"}
        assert (await one.refused("search", found))["code"] == 201
    listed = await ann.ask("showBlockedUsers", {})
    assert [line["BlockedUser"]["id"] for line in listed] == [bob.id]
    assert (await bob.refused("showBlockedUsers"))["code"] == 201

    lifted = await ann.call("blockUser", {"block_user_id": bob.id})
    assert lifted == {"code": 201, "msg": "deleted"}
    assert (await ann.sees(bob))["block"] == 0


async def test_nobody_acts_for_somebody_else(app: App) -> None:
    ann, bob, eve = [await app.sign_in(name) for name in ("ann", "bob", "eve")]

    tries: list[tuple[str, Json]] = [
        ("followUser", {"sender_id": ann.id, "receiver_id": bob.id}),
        ("blockUser", {"user_id": ann.id, "block_user_id": bob.id}),
        (
            "reportUser",
            {"user_id": ann.id, "report_user_id": bob.id, "report_reason_id": 1},
        ),
    ]
    for name, body in tries:
        assert (await eve.refused(name, body))["code"] == 201
        assert (await app.refused(name, body))["code"] == 401
    assert (await ann.sees(bob))["button"] == "follow"


async def test_a_report_is_kept_once_for_each_reason(app: App) -> None:
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
    reasons = await app.ask("showReportReasons")
    reason = reasons[0]["ReportReason"]
    assert reason["title"]

    body = {
        "report_user_id": str(bob.id),
        "report_reason_id": reason["id"],
        "description": "look",
    }
    first = (await ann.ask("reportUser", body))["ReportUser"]
    again = (await ann.ask("reportUser", body | {"description": "again"}))["ReportUser"]

    assert again["id"] == first["id"]
    assert again["description"] == "again"
    unknown = {"report_user_id": 999_999, "report_reason_id": reason["id"]}
    assert (await ann.refused("reportUser", unknown))["msg"] == "user not available"
    no_reason = {"report_user_id": bob.id, "report_reason_id": 9999}
    assert (await ann.refused("reportUser", no_reason))["code"] == 400


async def test_a_search_finds_by_the_beginning_of_a_name(app: App) -> None:
    await app.sign_in("maria", first_name="Zoe", last_name="Stone")
    await app.sign_in("mark")
    await app.sign_in("mark_twain")

    async def found(words: str) -> list[str]:
        body = {"type": "user", "keyword": words, "starting_point": "0"}
        answer = await app.call("search", body)
        if answer["code"] == 201:
            return []
        return [line["User"]["username"] for line in answer["msg"]]

    assert await found("mar") == ["mark", "maria", "mark_twain"]
    assert await found("MARK") == ["mark", "mark_twain"]
    assert await found("zoe st") == ["maria"]
    assert await found("mark_") == ["mark_twain"]
    assert await found("%") == []
    assert await found("") == []
    assert await found("m") == []  # that would be half of everybody
    other_type = {"type": "sound", "keyword": "mar"}
    assert (await app.refused("search", other_type))["code"] == 201


async def test_users_come_in_the_order_they_were_asked_for(app: App) -> None:
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
    ids = [bob.id, 777_777, ann.id]

    listed = await ann.ask(
        "showUsers",
        {"user_id": str(ann.id), "users": [{"user_id": str(i)} for i in ids]},
    )

    assert [line["User"]["id"] for line in listed] == ids
    assert [line["User"]["username"] for line in listed] == ["bob", "", "ann"]
    wrong: list[object] = ["bob", [1], [{"user_id": "x"}], [{}] * 200, [{}]]
    for users in wrong:
        assert (await ann.refused("showUsers", {"users": users}))["code"] == 400
    assert (await ann.refused("showUsers", {"users": []}))["code"] == 201


async def test_followers_are_told_once_for_each_broadcast(app: App) -> None:
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
    await _follow(bob, ann)
    live = (await ann.ask("liveStream", {}))["LiveStreaming"]
    body = {"user_id": str(ann.id), "live_streaming_id": live["id"]}

    for _ in range(2):
        assert await ann.ask("sendLiveStreamPushNotfication", body) == "success"

    others = {"live_streaming_id": live["id"]}
    refused = await bob.refused("sendLiveStreamPushNotfication", others)
    assert refused["code"] == 201
