"""Every endpoint's answers, good and bad, fit both apps, with content in them. The
check itself is in the test's App: here every endpoint has its turn."""

import pytest
from jsonschema import Draft202012Validator

from control_plane.api.app_shapes import android, ios, live
from control_plane.api.names import NAMES
from tests.api.app_shapes.check import misfits
from tests.api.town import Town, gift, purchase
from tests.support.api import App, Json
from tests.support.service import ALL

SERVED = sorted({*ios.ANSWERS, *live.ANSWERS})
NOT_YET = {"likeComment", "likeCommentReply", "addVideoFavourite"}
#: A list of nothing shows no shape.
_LISTS = """
    showFollowers showFollowing showBlockedUsers showReportReasons search showUsers
    showRelatedVideos showFollowingVideos showGifts showWithdrawalHistory
    showUsersAccordingToGiftReceive showUsersAccordingToGiftSent showLiveStreams
    showStreamKeys showSettings
"""
LISTS = _LISTS.split()


def _bodies(town: Town) -> dict[str, Json]:
    """Good ones, in an order that works: ann calls, bob is the other one."""
    ann, bob = town.ann, town.bob
    person: Json = {"sender_id": str(ann.id), "receiver_id": str(town.eve.id)}
    page: Json = {"user_id": str(ann.id), "starting_point": "0"}
    return {
        "registerUser": {"social": "google", "social_id": "ann", "username": "ann"},
        "showUserDetail": {"user_id": str(ann.id), "other_user_id": str(bob.id)},
        "editProfile": {"bio": "hello", "private": "0"},
        "addDeviceData": {"user_id": str(ann.id), "device": "iOS", "lat": 1.5},
        "registerDevice": {"key": "phone"},
        "checkUsername": {"username": "free"},
        "checkEmail": {"email": "free@example.com"},
        "checkPhoneNo": {"phone": "+49000"},
        "checkPhone": {"phone": "+49000"},
        "showSettings": {},
        "followUser": person,
        "showFollowers": page | {"other_user_id": str(bob.id)},
        "showFollowing": page,
        "showReportReasons": {},
        "reportUser": {"report_user_id": bob.id, "report_reason_id": 1},
        "search": page | {"type": "user", "keyword": "bo"},
        "showUsers": page | {"users": [{"user_id": bob.id}, {"user_id": 77_777}]},
        "showRelatedVideos": page | {"device_id": "phone"},
        "showFollowingVideos": page,
        "showVideosAgainstUserID": page,
        "showVideoDetail": {"video_id": town.video},
        "likeVideo": {"video_id": str(town.video), "user_id": str(ann.id)},
        "watchVideo": {"watch_videos": [{"video_id": town.video, "duration": "50"}]},
        "showLiveStreams": {},
        "showLiveStream": {"id": town.live},
        "watch": {"id": town.live},
        "liveStream": {"user_id": str(ann.id), "started_at": "2026-01-01 10:00:00"},
        "streamKeys": {"channel_name": "ann-live", "name": "OBS"},
        "showStreamKeys": {},
        "showGifts": {},
        "purchaseCoin": purchase("first"),
        "sendGift": gift(ann, bob) | {"video_id": town.video},
        "showCoinWorth": {},
        "addPayout": {"value": "ann@example.com", "type": "Paypal"},
        "showPayout": {},
        "withdrawRequest": {"coin": "100", "amount": "1.0", "email": "a@example.com"},
        "showWithdrawalHistory": page,
        "showUsersAccordingToGiftReceive": {"type": "day"},
        "showUsersAccordingToGiftSent": {"type": "day"},
    }


#: Neither app reads what is answered.
UNREAD = {"watchVideo", "sendLiveStreamPushNotfication"}
#: Bob is live.
HOSTS = ("sendLiveStreamPushNotfication", "setLivePolicy", "denyViewer")


def described(told: Json, name: str, answer: Json) -> bool:
    [one] = told["paths"][f"/api/{name}"]["post"]["responses"].values()
    schema = one["content"]["application/json"]["schema"]
    whole = {"components": told["components"], **schema}
    return bool(Draft202012Validator(whole).is_valid(answer))


@pytest.mark.parametrize("roles", [ALL], ids=["all"])
async def test_every_good_answer_fits_both_apps(app: App, town: Town) -> None:
    ann, bob = town.ann, town.bob
    async with app.http.get(f"{app.operators}/v1/apps.json") as response:
        told = await response.json()
    assert len(told["paths"]) == len(SERVED)
    done = set()
    for name, body in _bodies(town).items():
        answer = await ann.call(name, body)
        assert described(told, name, answer), name
        assert not described(told, name, {"code": 200, "msg": 0}) or name in UNREAD
        assert answer["code"] == 200, (name, answer)
        assert answer["msg"] or name not in LISTS, name
        done.add(name)
    # These need what another call has said, or spoil the rest.
    key = (await ann.ask("showStreamKeys"))[0]["StreamKey"]["id"]
    last: dict[str, Json] = {
        "rotateStreamKey": {"id": key},
        "setLivePolicy": {"id": town.live, "policy": "paid", "ticket_price": 1},
        "buyTicket": {"id": town.live, "price": 1},
        "refundTicket": {"id": town.live},
        "denyViewer": {"id": town.live, "all": 1},
        "revokeStreamKey": {"id": key},
        "sendLiveStreamPushNotfication": {"live_streaming_id": town.live},
        "blockUser": {"block_user_id": str(bob.id)},
        "showBlockedUsers": {},
        "logout": {},
        "deleteUserAccount": {},
    }
    others = {"logout": town.eve} | dict.fromkeys(HOSTS, bob)
    for name, body in last.items():
        assert await others.get(name, ann).ask(name, body), name
        done.add(name)
    assert done == set(SERVED) - NOT_YET


async def test_what_guests_and_oneself_see_fits_too(app: App, town: Town) -> None:
    ann, bob = town.ann, town.bob
    own = await ann.ask("showVideosAgainstUserID", {"user_id": ann.id})
    assert own["public"]
    assert own["private"]
    for token in ("", ann.token, bob.token):
        body = {"device_id": "phone", "other_user_id": str(bob.id)}
        assert await app.ask("showRelatedVideos", body, token)
        assert (await app.ask("showVideosAgainstUserID", body, token))["public"]
        assert await app.ask("showUserDetail", body, token)
        assert await app.ask("showFollowers", body, token)
        assert await app.ask("showVideoDetail", {"video_id": town.video}, token)
        assert await app.ask("showLiveStreams", {}, token)
    taken_back = await ann.ask("likeVideo", {"video_id": town.video})
    given = await ann.ask("likeVideo", {"video_id": town.video})
    assert (taken_back, given["Video"]["like"]) == ("unlike", 1)
    ended = {"id": town.live, "ended_at": "2026-01-01 11:00:00"}
    assert await bob.ask("liveStream", ended)


@pytest.mark.parametrize("name", SERVED)
async def test_every_bad_answer_fits_both_apps(app: App, name: str) -> None:
    ann, gone = await app.sign_in("ann"), await app.sign_in("gone")
    await gone.ask("deleteUserAccount", {})

    assert (await app.raw(name, b"{"))["code"] in (400, 401)
    assert (await app.raw(name, b"[]", {"Auth-Token": ann.token}))["code"] == 400
    for token in ("", ann.token, gone.token, "nobody"):
        for body in ({}, {"user_id": "x", "starting_point": "x", "video_id": "x"}):
            await app.call(name, body, token)


async def test_every_other_name_says_that_it_is_not_served(app: App) -> None:
    served = {name.lower() for name in SERVED}
    for name in sorted(NAMES):
        if name.lower() not in served:
            answer = await app.call(name, {})
            assert answer["code"] == 201
            assert answer["msg"].endswith(".")


def test_both_apps_say_what_they_read_of_every_endpoint() -> None:
    assert set(ios.ANSWERS) == set(android.ANSWERS)
    assert set(ios.ANSWERS) <= set(NAMES)


async def test_an_item_that_ios_cannot_decode_is_found(town: Town) -> None:
    feed = await town.ann.ask("showRelatedVideos")
    for name, wrong in (
        ("HashtagVideo", []),
        ("Hashtag", []),
        ("Sound", None),
        ("PinComment", {"id": 0, "comment": "first"}),
        ("Repost", {}),
    ):
        spoiled = [feed[0], feed[1] | {name: wrong}]
        found = misfits("showRelatedVideos", {"code": 200, "msg": spoiled})
        assert [line for line in found if f"msg[1].{name}" in line], name


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("showSettings", {"code": "200", "msg": []}),
        ("showSettings", {"code": 200.0, "msg": []}),
        ("showSettings", {"code": 500, "msg": "x"}),
        ("showSettings", {"code": 200, "msg": None}),
        ("showSettings", {"code": 200}),
        ("showSettings", []),
        ("checkEmail", {"code": 200, "msg": {}}),
        ("followUser", {"code": 201, "msg": "no"}),
        ("showVideosAgainstUserID", {"code": 201, "msg": "no"}),
        ("likeVideo", {"code": 201, "msg": "no", "like": 0}),
        ("showCoinWorth", {"code": 200, "msg": {"CoinPackages": []}}),
        ("showUserDetail", {"code": 201, "msg": "Something went wrong here. abc"}),
    ],
)
def test_the_check_finds_what_breaks_an_app(name: str, answer: object) -> None:
    assert misfits(name, answer)
