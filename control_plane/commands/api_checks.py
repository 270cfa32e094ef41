"""What ``check-api`` asks, and what a right answer looks like: in the types that both
apps decode."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType

#: Stand for what signing in gave.
TOKEN, USER = "<token>", "<user>"
Fields = Mapping[str, object]

#: What stands in each line of a feed. One field of another type, and iOS shows none.
VIDEO_NUMBERS = """
    id user_id sound_id view share like_count comment_count favourite_count allow_duet
    block promote pin pin_comment_id duet_video_id repost_user_id repost_video_id story
    width height
"""
VIDEO_TEXTS = """
    description video thum default_thumbnail gif privacy_type allow_comments lat long
    location_string created
"""
USER_NUMBERS = """
    id verified business parent followers_count following_count likes_count video_count
    block
"""
USER_TEXTS = "username first_name last_name bio website profile_pic button auth_token"
PRIVACY_TEXTS = "direct_message duet video_comment liked_videos order_history"
SOUND_TEXTS = "audio name thum duration"
#: Objects on iOS where they are there at all.
MAYBE = ("Location", "PinComment", "Store", "Hashtag", "HashtagVideo")


class Failed(Exception):
    """What is wrong with an answer, in a sentence."""


@dataclass(frozen=True)
class Check:
    title: str
    endpoint: str
    body: Fields
    looks_right: Callable[[object], None]
    signed_in: bool = False


def checks(id_token: str, least_videos: int) -> list[Check]:
    """The bodies are those of the project's documented curl calls and of the Android
    app."""
    device = f"check-{secrets.token_hex(4)}"
    return [
        Check("Register User", "registerUser", _sign_up(id_token), _is_account),
        Check(
            "Show User Detail",
            "showUserDetail",
            {"auth_token": TOKEN},
            _is_account,
            signed_in=True,
        ),
        Check(
            "Show Related Videos",
            "showRelatedVideos",
            {"user_id": "1", "device_id": device, "starting_point": 0},
            lambda msg: _is_feed(msg, least_videos),
        ),
        Check(
            "Start Live Stream",
            "liveStream",
            {"user_id": USER, "started_at": "2026-01-01 10:00:00"},
            _is_live,
            signed_in=True,
        ),
        Check("Show Coin Packages", "showCoinWorth", {}, _is_worth),
        Check("Show Gifts", "showGifts", {}, _is_gifts),
    ]


def _sign_up(id_token: str) -> Fields:
    """Without a token somebody new each time: the account is deleted afterwards."""
    if id_token:
        return {"auth_token": id_token, "device_token": "check-api"}
    name = f"check_{secrets.token_hex(6)}"
    return {
        "username": name,
        "first_name": "Test",
        "email": f"{name}@example.com",
        "social_id": name,
        "social": "google",
    }


def _is_account(msg: object) -> None:
    want(msg, int, "User", "id")
    want(msg, int, "User", "wallet")
    if not want(msg, str, "User", "auth_token"):
        raise Failed("User.auth_token is empty.")
    want(msg, dict, "PushNotification")
    want(msg, dict, "PrivacySetting")


def _is_feed(msg: object, least: int) -> None:
    if not isinstance(msg, list):
        raise Failed("the feed is no list.")
    for item in msg:
        _is_item(item)
    found = len({want(item, int, "Video", "id") for item in msg})
    if found < least:
        raise Failed(f"there are {found} videos, and not {least}.")


def _is_item(item: object) -> None:
    _all(item, int, "Video", VIDEO_NUMBERS)
    _all(item, str, "Video", VIDEO_TEXTS)
    want(item, int | float, "Video", "duration")
    for name in ("like", "favourite", "repost"):
        if want(item, int, "Video", name) not in (0, 1):
            raise Failed(f"Video.{name} is neither 0 nor 1.")
    _all(item, int, "User", USER_NUMBERS)
    _all(item, str, "User", USER_TEXTS)
    _all(at(item, "User"), str, "PrivacySetting", PRIVACY_TEXTS)
    want(item, int, "Sound", "id")
    _all(item, str, "Sound", SOUND_TEXTS)
    for name in MAYBE:
        if at(item, name) is not None:
            want(item, dict, name)


def _is_live(msg: object) -> None:
    for name in ("id", "started_at", "status", "channel_name"):
        want(msg, str, "LiveStreaming", name)
    if not str(want(msg, str, "LiveStreaming", "rtmp_url")).startswith("rtmp"):
        raise Failed("LiveStreaming.rtmp_url is no RTMP address.")
    if not str(want(msg, str, "LiveStreaming", "playback_url")).startswith("http"):
        raise Failed("LiveStreaming.playback_url is no HTTP address.")


def _is_worth(msg: object) -> None:
    want(msg, int | float, "CoinWorth", "price")
    packages = want(msg, list, "CoinPackages")
    if not packages:
        raise Failed("there are no coin packages.")


def _is_gifts(msg: object) -> None:
    if not isinstance(msg, list) or not msg:
        raise Failed("there are no gifts.")
    for line in msg:
        want(line, int, "Gift", "id")
        want(line, int, "Gift", "coin")
        want(line, str, "Gift", "title")


def _all(value: object, kind: type, inside: str, names: str) -> None:
    for name in names.split():
        want(value, kind, inside, name)


def want(value: object, kind: type | UnionType, *names: str) -> object:
    """What is there; Failed when it is missing or of another type."""
    found = at(value, *names)
    if not isinstance(found, kind) or isinstance(found, bool):
        raise Failed(f"{'.'.join(names)} is {found!r}.")
    return found


def at(value: object, *names: str) -> object:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
