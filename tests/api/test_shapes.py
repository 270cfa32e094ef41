"""Every endpoint's answers, good and bad, fit both apps. The check itself is in the
test's App: here every endpoint has its turn."""

import pytest

from control_plane.api.names import NAMES
from control_plane.config.settings import Settings
from control_plane.wiring.services import services
from tests.api.app_shapes import android, ios
from tests.api.app_shapes.check import misfits
from tests.api.conftest import Post
from tests.support.api import Account, App, Json

SERVED = sorted(set(ios.ANSWERS))
NOT_YET = {"likeComment", "likeCommentReply", "addVideoFavourite"}


def _gift(fan: Account, star: Account) -> Json:
    return {
        "sender_id": str(fan.id),
        "receiver_id": str(star.id),
        "gift_id": 1,
        "gift_count": 1,
    }


def _purchase(name: str) -> Json:
    return {
        "coin": "5000",
        "title": "5000 coins",
        "price": "$50.00",
        "transaction_id": name,
        "device": "android",
    }


def _bodies(ann: Account, bob: Account, live: str, video: int) -> dict[str, Json]:
    """Good ones, in an order that works: ann calls, bob is the other one."""
    person: Json = {"sender_id": str(ann.id), "receiver_id": str(bob.id)}
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
        "showVideosAgainstUserID": page | {"other_user_id": str(bob.id)},
        "showVideoDetail": {"video_id": video},
        "likeVideo": {"video_id": str(video), "user_id": str(ann.id)},
        "watchVideo": {"watch_videos": [{"video_id": video, "duration": "50"}]},
        "liveStream": {"user_id": str(ann.id), "started_at": "2026-01-01 10:00:00"},
        "sendLiveStreamPushNotfication": {"live_streaming_id": live},
        "showGifts": {},
        "purchaseCoin": _purchase("first"),
        "sendGift": _gift(ann, bob),
        "showCoinWorth": {},
        "addPayout": {"value": "ann@example.com", "type": "Paypal"},
        "showPayout": {},
        "withdrawRequest": {"coin": "100", "amount": "1.0", "email": "a@example.com"},
        "showWithdrawalHistory": page,
        "showUsersAccordingToGiftReceive": {"type": "day"},
        "showUsersAccordingToGiftSent": {"type": "day"},
        "blockUser": {"block_user_id": str(bob.id)},
        "showBlockedUsers": page,
        "deleteUserAccount": {},
    }


async def test_every_good_answer_fits_both_apps(
    app: App, post: Post, wanted: Settings
) -> None:
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
    async with services(wanted) as opened:  # coins of a test purchase stay unpaid
        await opened.coins.ledger.give_bonus(bob.id, 5000, "", "")
    for _ in range(20):
        await bob.ask("sendGift", _gift(bob, ann))
    await post(bob, "v")
    video = (await app.ask("showRelatedVideos", {}))[0]["Video"]["id"]
    live = (await ann.ask("liveStream", {}))["LiveStreaming"]["id"]

    bodies = _bodies(ann, bob, live, video)
    for name, body in bodies.items():
        answer = await ann.call(name, body)
        assert answer["code"] == 200, (name, answer)

    assert set(bodies) == set(SERVED) - NOT_YET


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
