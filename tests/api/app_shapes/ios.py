"""What the iOS app decodes (facts, mobile-apps §2, §3 and §6.7): strict types, nearly
everything may be missing, and one field of a wrong type loses the whole answer.

It decodes every answer, whatever its code; one that does not fit is dropped without a
message, which is bearable for a refusal, except where ``bad`` says otherwise.
"""

from tests.api.app_shapes.kinds import (
    Answer,
    Anything,
    Either,
    Int,
    Kind,
    ListOf,
    Number,
    Obj,
    Text,
)

INT, TEXT = Int(), Text()
INT_OR_TEXT = Either(INT, TEXT)

USER_TEXTS = """
    first_name last_name gender bio website dob social_id email phone password
    profile_pic profile_pic_small profile_gif profile_video role username social
    device_token token lat long auth_token version device ip city country state
    region location_string paypal reset_wallet_datetime referral_code created
"""
USER_INTS = """
    id active online verified country_id wallet private profile_view business
    parent
"""
COUNTERS = """
    followers_count follower_count following_count likes_count video_count
    sold_items_count tagged_products_count profile_visit_count
    unread_notification block notification total_all_time_coins
"""


def _fields(names: str, kind: Kind) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), kind)


#: BlockedUser: no field may be missing or null.
STRICT_USER = Obj(_fields(USER_TEXTS, TEXT) | _fields(USER_INTS, INT))
PUSH = Obj(
    may=_fields(
        """
    id likes comments new_followers mentions direct_messages video_updates
""",
        INT_OR_TEXT,
    ),
    null=True,
)
PRIVACY = Obj(
    may={
        "id": INT,
        "videos_download": INT,
        "direct_message": TEXT,
        "duet": TEXT,
        "video_comment": TEXT,
        "liked_videos": TEXT,
        "order_history": TEXT,
    },
    null=True,
)
USER = Obj(
    {"id": Int(lowest=0)},
    _fields(USER_TEXTS, TEXT)
    | _fields(USER_INTS, INT)
    | _fields(COUNTERS, INT)
    | {
        "comission_earned": INT,
        "button": TEXT,
        "Interests": Anything(),
        "PushNotification": PUSH,
        "PrivacySetting": PRIVACY,
    },
    null=True,
)
ACCOUNT = Obj(
    {"User": USER, "PushNotification": PUSH, "PrivacySetting": PRIVACY},
    {"Playlist": ListOf(Anything())},
)
VIDEO = Obj(
    {"id": INT},
    _fields(
        """
    user_id sound_id view share like like_count comment_count favourite_count
    favourite repost allow_duet block promote pin pin_comment_id duet_video_id
    old_video_id repost_user_id repost_video_id quality_check viral story
    country_id tag_product tag_store_id width height location_id
""",
        INT,
    )
    | _fields(
        """
    description video thum user_thumbnail default_thumbnail gif privacy_type
    allow_comments lat long section city state country region location_string
    location_title video_with_watermark job_id ai_summary ai_category
    ai_hashtags ai_filters aws_label created product_id
""",
        TEXT,
    )
    | {"duration": Number(), "PlaylistVideo": Obj({"id": INT})},
    null=True,
)
SOUND = Obj(
    {"id": INT, "audio": TEXT, "name": TEXT, "thum": TEXT},
    {
        "description": TEXT,
        "duration": TEXT,
        "sound_section_id": INT,
        "uploaded_by": TEXT,
        "publish": INT,
        "job_id": TEXT,
        "created": TEXT,
        "total_videos": INT,
        "favourite": INT,
    },
)
LOCATION = Obj(
    may={"id": INT}
    | _fields(
        """
    name string lat long google_place_id image created
""",
        TEXT,
    ),
    null=True,
)
PIN_COMMENT = Obj({"id": INT}, {"comment": INT})
ITEM = Obj(
    {"Video": VIDEO, "User": USER, "Sound": SOUND},
    {"Location": LOCATION, "PinComment": PIN_COMMENT},
)
FEED = ListOf(ITEM)
PROFILE_VIDEOS = Obj({"public": FEED, "private": FEED})
LINE_OF_USER = ListOf(Obj({"User": USER}))
BLOCK = Obj({"id": INT, "user_id": INT, "block_user_id": INT, "created": TEXT})
BLOCKED = Obj({"BlockUser": BLOCK, "BlockedUser": STRICT_USER})
LIKE_COUNTERS: dict[str, Kind] = {"like": INT, "like_count": INT}
LIKED = Obj({"Video": VIDEO, "User": USER, "VideoLike": Obj(may={"id": INT})})
COIN_WORTH = Obj({"CoinWorth": Obj({"id": INT, "price": Number()})})
PURCHASE = Obj(
    {
        "id": INT,
        "user_id": INT,
        "title": TEXT,
        "coin": INT,
        "price": INT,
        "transaction_id": TEXT,
        "device": TEXT,
        "created": TEXT,
    }
)
WALLET = Obj({"id": INT, "wallet": INT}, USER.may, null=True)
BOUGHT = Obj({"PurchaseCoin": PURCHASE, "User": WALLET})
NOT_YET = Anything()  # no good answer is given yet

ANSWERS = {
    "registerUser": Answer(ACCOUNT),
    "showUserDetail": Answer(ACCOUNT),
    "editProfile": Answer(ACCOUNT),
    "addDeviceData": Answer(Obj({"User": USER})),
    "registerDevice": Answer(Obj({"Device": Obj({"id": INT, "key": TEXT})})),
    "checkUsername": Answer(TEXT, TEXT),
    "checkEmail": Answer(TEXT, TEXT),
    "checkPhoneNo": Answer(TEXT, TEXT),
    "checkPhone": Answer(TEXT, TEXT),
    "deleteUserAccount": Answer(TEXT, TEXT),
    "showSettings": Answer(Anything()),
    "followUser": Answer(ACCOUNT, ACCOUNT),
    "showFollowers": Answer(LINE_OF_USER),
    "showFollowing": Answer(LINE_OF_USER),
    "blockUser": Answer(BLOCKED),
    "showBlockedUsers": Answer(ListOf(BLOCKED)),
    "showReportReasons": Answer(
        ListOf(Obj({"ReportReason": Obj({"id": INT, "title": TEXT, "created": TEXT})}))
    ),
    "reportUser": Answer(Anything()),
    "search": Answer(LINE_OF_USER),
    "showUsers": Answer(LINE_OF_USER),
    "showRelatedVideos": Answer(FEED),
    "showFollowingVideos": Answer(FEED),
    "showVideosAgainstUserID": Answer(PROFILE_VIDEOS, PROFILE_VIDEOS),
    "showVideoDetail": Answer(ITEM),
    "likeVideo": Answer(Either(LIKED, TEXT), TEXT, LIKE_COUNTERS),
    "watchVideo": Answer(Anything()),
    "likeComment": Answer(NOT_YET, TEXT, {"like_count": INT}),
    "likeCommentReply": Answer(NOT_YET, TEXT, {"like_count": INT}),
    "addVideoFavourite": Answer(NOT_YET, TEXT, {"fav_count": INT}),
    "liveStream": Answer(Obj({"LiveStreaming": Obj({"id": TEXT})}, {"User": USER})),
    "sendLiveStreamPushNotfication": Answer(Anything()),
    "showGifts": Answer(Anything()),
    "sendGift": Answer(Obj({"User": WALLET})),
    # A refusal without a wallet empties the one that is shown; only who is not
    # signed in gets a sentence alone.
    "purchaseCoin": Answer(BOUGHT, Either(BOUGHT, TEXT)),
    "showCoinWorth": Answer(COIN_WORTH),
    "withdrawRequest": Answer(Anything()),
    "showWithdrawalHistory": Answer(Anything()),
    "addPayout": Answer(Obj({"Payout": Obj({"id": INT}), "User": WALLET})),
    "showPayout": Answer(Obj({"Payout": Obj({"id": INT})})),
    "showUsersAccordingToGiftReceive": Answer(LINE_OF_USER),
    "showUsersAccordingToGiftSent": Answer(LINE_OF_USER),
}
