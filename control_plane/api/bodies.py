"""What each endpoint of ``/api`` reads of a body, as JSON Schema.

Handlers read fields where they need them, and often by what another one says, so this
is a table beside them. tests/ops/test_apps_as_described.py holds it to them: each field
is read as it says, nothing else is read, and what it allows is never refused as
unreadable. What is read is more: numbers also as text with a fraction of zero, text
also from numbers, and null and "" as if they were not there.
"""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069"
_IN_LINES = _CONTROL.replace(
    r"\u0000-\u001f", r"\u0000-\u0008\u000b\u000c\u000e-\u001f"
)
_ADDRESS = r"^(https?://[a-z0-9-]+(\.[a-z0-9-]+)*(/[A-Za-z0-9._~-]*)*)?$"


def text(longest: int, *, lines: bool = False, filled: bool = False) -> Json:
    """``lines``: it may have several. ``filled``: it begins with more than a blank."""
    refused = _IN_LINES if lines else _CONTROL
    found: Json = {"type": "string", "maxLength": longest}
    if filled:
        return found | {"minLength": 1, "pattern": rf"^[^\s{refused}][^{refused}]*$"}
    return found | {"pattern": f"^[^{refused}]*$"}


def like(pattern: str, longest: int) -> Json:
    return {"type": "string", "maxLength": longest, "pattern": pattern}


def one_of(*words: str) -> Json:
    return {"type": "string", "enum": list(words)}


def number(lowest: int, highest: int) -> Json:
    """As text it is told with a digit less than it may have."""
    digits = f"[1-9][0-9]{{0,{len(str(highest)) - 2}}}"
    return {
        "anyOf": [
            {"type": "integer", "minimum": lowest, "maximum": highest},
            {
                "type": "string",
                "pattern": f"^{digits}$" if lowest else f"^(0|{digits})$",
            },
        ]
    }


def reads(must: str = "", either: str = "", /, **fields: Json) -> Json:
    """``must``: what has to be there; ``either``: of these at least one."""
    found: Json = {"type": "object", "properties": fields, "required": must.split()}
    if either:
        found["anyOf"] = [{"required": [name]} for name in either.split()]
    return found


def lines_of(name: str) -> Json:
    line = reads(name, **{name: ID})
    return {"type": "array", "items": line, "maxItems": 100}


ANYTHING: Json = {}
ID = number(0, 2_147_483_647)
SOMEONE = number(1, 2_147_483_647)
COINS = number(0, 10**9)
PAGE = number(0, 100_000)
FLAG: Json = {"enum": [0, 1, "0", "1"]}
MOMENT: Json = {"type": "string", "format": "date-time", "maxLength": 40}
DEVICE = text(128)
PICTURE = like(_ADDRESS, 2000)
POLICY = one_of("public", "token", "followers", "paid")
PRICE = COINS | {"description": "Of the policy paid, which needs it, and no other."}
#: Signed-out apps send these for nothing.
SAID: Json = {"not": {"enum": ["0", "null"]}}
SOCIAL = one_of("google", "facebook", "apple", "firebase", "email", "phone")

OWN = {"user_id": ID}
WHOSE = {"user_id": ID, "other_user_id": ID, "starting_point": PAGE}
NAMES = {
    "username": text(30),
    "first_name": text(100),
    "last_name": text(100),
    "dob": text(10),
    "profile_pic": PICTURE,
}
BY_NAME = {
    name: text(64, filled=True)
    for name in ("id", "live_streaming_id", "name", "channel_name")
}
BOARD = {
    "live_streaming_id": ID,
    "type": one_of("hour", "day", "week", "month"),
    "starting_point": PAGE,
}
NEAR = {"region": text(64)}

BODIES: Mapping[str, Json] = {
    # Accounts
    "registerUser": reads(
        "",
        "social_id auth_token id_token",
        auth_token=text(256, filled=True) | SAID,
        id_token=text(8192, filled=True),
        social=SOCIAL,
        social_id=text(256, filled=True) | SAID,
        email=text(254),
        phone=text(32),
        device_token=text(512),
        **NAMES,
    )
    | {"dependentRequired": {"social_id": ["social"], "social": ["social_id"]}},
    "showUserDetail": reads(username=text(1000), other_user_id=ID, **OWN),
    "editProfile": reads(
        email=like(r"^([a-z0-9.]{1,60}@[a-z0-9.]{1,60})?$", 254),
        phone=like(r"^(\+?[0-9]{3,31})?$", 32),
        bio=text(1000, lines=True),
        website=like(_ADDRESS, 300),
        gender=text(20),
        profile_gif=PICTURE,
        private=FLAG,
        profile_view=FLAG,
        **NAMES,
        **OWN,
    ),
    "addDeviceData": reads(
        device_token=text(512), device=text(100), version=text(50), **OWN
    ),
    "deleteUserAccount": reads(**OWN),
    "logout": reads(everywhere=FLAG, all_devices=FLAG, **OWN),
    "checkUsername": reads("username", username=text(100, filled=True)),
    "checkEmail": reads("email", email=text(254, filled=True)),
    "checkPhoneNo": reads("phone", phone=text(32, filled=True)),
    "checkPhone": reads("phone", phone=text(32, filled=True)),
    "showSettings": reads(),
    "registerDevice": reads("key", key=text(200, filled=True)),
    # People
    "followUser": reads("receiver_id", sender_id=ID, receiver_id=SOMEONE),
    "showFollowers": reads(**WHOSE),
    "showFollowing": reads(**WHOSE),
    "blockUser": reads("block_user_id", block_user_id=SOMEONE, **OWN),
    "showBlockedUsers": reads(starting_point=PAGE),
    "showReportReasons": reads(),
    "reportUser": reads(
        "report_user_id report_reason_id",
        report_user_id=SOMEONE,
        report_reason_id=ID,
        description=text(2000, lines=True),
        **OWN,
    ),
    "search": reads(
        "keyword", keyword=text(100, filled=True), type=text(30), starting_point=PAGE
    ),
    "showUsers": reads("users", users=lines_of("user_id")),
    # Videos
    "showRelatedVideos": reads(device_id=DEVICE, starting_point=PAGE),
    "showFollowingVideos": reads(starting_point=PAGE),
    "showVideosAgainstUserID": reads(**WHOSE),
    "showVideoDetail": reads("video_id", video_id=ID),
    "likeVideo": reads("video_id", video_id=ID, **OWN),
    "watchVideo": reads(
        "",
        "watch_videos video_id",
        watch_videos=lines_of("video_id"),
        video_id=ID,
        device_id=DEVICE,
    ),
    "likeComment": reads(),
    "likeCommentReply": reads(),
    "addVideoFavourite": reads(),
    # Coins
    "showGifts": reads(),
    "sendGift": reads(
        "gift_id gift_count receiver_id",
        sender_id=ID,
        gift_id=ID,
        gift_count=number(1, 999),
        receiver_id=SOMEONE,
        live_streaming_id=ID,
        video_id=ID,
    ),
    "showUsersAccordingToGiftReceive": reads(**BOARD),
    "showUsersAccordingToGiftSent": reads(**BOARD),
    "purchaseCoin": reads(
        "transaction_id",
        transaction_id=text(1000, filled=True),
        device=one_of("android", "iOS"),
        title=text(200),
        coin=text(40),
        **OWN,
    ),
    "showCoinWorth": reads(),
    "withdrawRequest": reads(
        "",
        "coin amount",
        coin=COINS,
        amount=like(r"^[0-9]{1,6}(\.[0-9]{1,2})?$", 32),
        email=text(254),
        **OWN,
    ),
    "showWithdrawalHistory": reads(starting_point=PAGE),
    "addPayout": reads(
        "",
        "value paypal",
        value=text(254, filled=True),
        paypal=text(254, filled=True),
        type=text(40),
        **OWN,
    ),
    "showPayout": reads(),
    "buyTicket": reads("price", " ".join(BY_NAME), price=COINS, **BY_NAME),
    "refundTicket": reads("", " ".join(BY_NAME), **BY_NAME),
    # Going live, and watching
    "liveStream": reads(
        id=ID,
        ended_at=ANYTHING,
        duration=ANYTHING,
        title=text(200),
        cover=PICTURE,
        started_at=text(40),
        reconnect_window=number(0, 1800),
        policy=POLICY,
        ticket_price=PRICE,
        device_id=DEVICE,
        **NEAR,
        **OWN,
    )
    | {"dependentRequired": {"ticket_price": ["policy"]}},
    "streamKeys": reads(
        name=text(200),
        channel_name=like("^[a-z][a-z0-9_-]{2,31}$", 32),
        opens_at=MOMENT,
        closes_at=MOMENT,
        one_shot=FLAG,
        device_id=DEVICE,
        **NEAR,
    ),
    "showStreamKeys": reads(**NEAR),
    "rotateStreamKey": reads(
        "id", id=ID, overlap=number(0, 86_400), at_once=FLAG, **NEAR
    ),
    "revokeStreamKey": reads("id", id=ID),
    "setLivePolicy": reads("id policy", id=ID, policy=POLICY, ticket_price=PRICE),
    "denyViewer": reads(
        "id",
        "viewer_user_id viewer all",
        id=ID,
        viewer_user_id=SOMEONE,
        viewer=text(64, filled=True),
        all={"enum": [1, "1"], "description": "Everybody, and no one else beside."},
    ),
    "watch": reads(
        "", " ".join(BY_NAME), token=text(512), device_id=DEVICE, **NEAR, **BY_NAME
    ),
    "showLiveStreams": reads(size=number(1, 100), page=PAGE, starting_point=PAGE),
    "showLiveStream": reads("", " ".join(BY_NAME), **BY_NAME),
    "sendLiveStreamPushNotfication": reads(
        "live_streaming_id", live_streaming_id=ID, **OWN
    ),
}
