"""What the Android app reads (docs/apps.md): by hand, and with
coercion; a missing key is mostly borne, a present one of the wrong kind is not. The
inner objects that go through Gson want numbers.
"""

from control_plane.api.app_shapes.kinds import (
    Answer,
    Anything,
    Either,
    Int,
    Kind,
    ListOf,
    NumberLike,
    Obj,
    Scalar,
    Text,
)

INT, TEXT = Int(), Text()
SCALAR, NUMBER = Scalar(), NumberLike()
SENTENCE = Text(filled=True)


def _fields(names: str, kind: Kind) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), kind)


FLAGS = _fields(
    "id likes comments new_followers mentions direct_messages video_updates", NUMBER
)
PUSH = Obj(FLAGS)
#: All seven, always: none is checked for null.
PRIVACY = Obj(
    {
        "videos_download": NUMBER,
        "direct_message": Text(("everyone", "friends", "no_one")),
        "duet": Text(("everyone", "friends", "no_one")),
        "video_comment": Text(("everyone", "friend", "no_one")),
        "liked_videos": Text(("everyone", "only_me", "me")),
        "order_history": Text(("everyone", "only_me")),
        "id": NUMBER,
    }
)
BUTTON = Text(("follow", "following", "follow back", "Friends", "0"))
USER = Obj(
    {"id": Int(lowest=0), "username": SCALAR},
    _fields(
        """
        first_name last_name gender bio website dob social_id email phone profile_pic
        profile_pic_small profile_gif role auth_token device_token created wallet
        """,
        SCALAR,
    )
    | _fields(
        """
        verified private followers_count following_count likes_count video_count
        profile_visit_count unread_notification total_balance_usd block notification
        verification_applied total_all_time_coins lat long
        """,
        NUMBER,
    )
    | {
        "button": BUTTON,
        "story": ListOf(Obj({"Video": Obj()})),
        "Interests": ListOf(Anything(), filled=True),
        "Playlist": ListOf(Anything()),
        "BlockUser": Obj({"user_id": SCALAR}),
        "PushNotification": PUSH,
        "PrivacySetting": PRIVACY,
    },
)
#: A profile's playlists are taken out of User unchecked.
PROFILE = Obj(dict(USER.must) | {"Playlist": ListOf(Anything())}, USER.may)
ACCOUNT = Obj(
    {"User": PROFILE, "PushNotification": PUSH, "PrivacySetting": PRIVACY},
    {"Playlist": ListOf(Anything())},
)
#: Kept as the whole account: without the token nothing works any more.
OWN_USER = Obj(
    dict(PROFILE.must)
    | {
        "auth_token": Text(filled=True),
        "wallet": NUMBER,
        "Interests": ListOf(Anything(), filled=True),
    },
    USER.may,
)
OWN_ACCOUNT = Obj(dict(ACCOUNT.must) | {"User": OWN_USER}, ACCOUNT.may)
FLAG = Int(0, 1)
VIDEO = Obj(
    {
        "id": SCALAR,
        "video": Text(filled=True),
        "comment_count": INT,
        # The heart, not its counter.
        "like": FLAG,
        "favourite": FLAG,
        "repost": FLAG,
        # Only this very text hides comments, and only a 0 hides duets.
        "allow_comments": Text(("true", "false")),
        "allow_duet": FLAG,
        "privacy_type": Text(("public", "private", "friends")),
        # One of them is the picture.
        "thum": TEXT,
        "default_thumbnail": TEXT,
    },
    _fields(
        "user_id like_count favourite_count view share block promote pin"
        " pin_comment_id duet_video_id repost_video_id repost_user_id width height"
        " lat long duration",
        NUMBER,
    )
    | _fields("description user_thumbnail gif location_string created", SCALAR)
    | {"PlaylistVideo": Obj({"id": NUMBER})},
)
AUTHOR = Obj(dict(USER.must) | {"PrivacySetting": PRIVACY}, USER.may)
SOUND = Obj(may=_fields("id audio name description thum duration created", SCALAR))
ITEM = Obj(
    {"Video": VIDEO, "User": AUTHOR},
    {
        "Sound": SOUND,
        "Location": Obj(
            may=_fields("id name string google_place_id image", SCALAR)
            | _fields("lat long", NUMBER)
        ),
        "Store": Obj(),
        "Product": Obj(),
        "PinComment": Obj({"id": SCALAR}),
        "VideoProduct": ListOf(Anything()),
        "VideoComment": ListOf(Anything()),
    },
)
FEED = ListOf(ITEM)
USERS = ListOf(Obj({"User": USER}))
WALLET = Obj({"User": Obj({"wallet": Int(lowest=0)})})
GIFT = Obj(
    _fields("id coin", INT) | _fields("title image", TEXT),
    _fields("featured time", INT) | _fields("icon type position created", TEXT),
)
PAYOUT = Obj(
    _fields("id user_id primary", NUMBER) | _fields("type value created", TEXT)
)
WITHDRAWAL = Obj(
    _fields("id user_id coin status", INT)
    | {"amount": NUMBER}
    | _fields("email created updated", TEXT)
)
SETTING = Obj(_fields("id type value created", TEXT))

ANSWERS = {
    "registerUser": Answer(OWN_ACCOUNT),
    "showUserDetail": Answer(ACCOUNT),
    "editProfile": Answer(OWN_ACCOUNT),
    "addDeviceData": Answer(Anything()),
    "registerDevice": Answer(Obj({"Device": Obj({"id": SCALAR, "key": SCALAR})})),
    "checkUsername": Answer(SCALAR),
    "checkEmail": Answer(SCALAR),
    "checkPhoneNo": Answer(SCALAR),
    "checkPhone": Answer(SCALAR),
    "deleteUserAccount": Answer(SCALAR),
    "logout": Answer(SCALAR),
    "showSettings": Answer(ListOf(Obj({"Setting": SETTING}))),
    # Refusals of this one are objects, for iOS: Android shows no text of it.
    "followUser": Answer(ACCOUNT, ACCOUNT),
    "showFollowers": Answer(USERS),
    "showFollowing": Answer(USERS),
    "blockUser": Answer(Obj({"BlockUser": Obj(), "BlockedUser": USER})),
    "showBlockedUsers": Answer(ListOf(Obj({"BlockedUser": USER}))),
    "showReportReasons": Answer(
        ListOf(Obj({"ReportReason": Obj({"id": SCALAR, "title": SCALAR})}))
    ),
    "reportUser": Answer(Obj()),
    "search": Answer(USERS),
    "showUsers": Answer(USERS),
    "showRelatedVideos": Answer(FEED),
    "showFollowingVideos": Answer(FEED),
    "showVideosAgainstUserID": Answer(
        Obj({"public": FEED, "private": FEED}), Obj({"public": FEED, "private": FEED})
    ),
    "showVideoDetail": Answer(ITEM),
    "likeVideo": Answer(Either(Obj(), TEXT), SENTENCE, {"like": INT}),
    "watchVideo": Answer(Anything()),
    "likeComment": Answer(Anything()),
    "likeCommentReply": Answer(Anything()),
    "addVideoFavourite": Answer(Anything()),
    "liveStream": Answer(Obj({"LiveStreaming": Obj({"id": SCALAR})})),
    "sendLiveStreamPushNotfication": Answer(SCALAR),
    "showGifts": Answer(ListOf(Obj({"Gift": GIFT}))),
    "sendGift": Answer(WALLET),
    "purchaseCoin": Answer(WALLET, Either(WALLET, SENTENCE)),
    "showCoinWorth": Answer(Obj({"CoinWorth": Obj({"price": NUMBER})})),
    "withdrawRequest": Answer(Obj({"WithdrawRequest": WITHDRAWAL, **WALLET.must})),
    "showWithdrawalHistory": Answer(ListOf(Obj({"WithdrawRequest": WITHDRAWAL}))),
    "addPayout": Answer(Obj({"Payout": PAYOUT, "User": USER})),
    "showPayout": Answer(Obj({"Payout": PAYOUT})),
    "showUsersAccordingToGiftReceive": Answer(USERS),
    "showUsersAccordingToGiftSent": Answer(USERS),
}
