"""What the iOS app decodes (docs/apps.md): strict types, nearly
everything may be missing, and one field of a wrong type loses the whole answer.

It decodes every answer, whatever its code; one that does not fit is dropped without a
message, which is bearable for a refusal, except where ``bad`` says otherwise.
"""

from control_plane.api.app_shapes.kinds import (
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
    followers_count following_count likes_count video_count sold_items_count
    tagged_products_count unread_notification block notification
    total_all_time_coins comission_earned
"""
#: The Android app's, and the older apps'. Interests is tried, and passed over when it
#: does not fit.
USER_UNREAD = """
    follower_count profile_visit_count total_balance_usd verification_applied story
    Interests Playlist BlockUser
"""


def _fields(names: str, kind: Kind) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), kind)


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


#: BlockedUser: no field may be missing or null.
STRICT_USER = Obj(_fields(USER_TEXTS, TEXT) | _fields(USER_INTS, INT))
PUSH = Obj(
    may=_fields(
        "id likes comments new_followers mentions direct_messages video_updates",
        INT_OR_TEXT,
    ),
    null=True,
    unread=frozenset(),
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
    unread=_names("videos_repost"),
)
USER = Obj(
    {"id": Int(lowest=0)},
    _fields(USER_TEXTS, TEXT)
    | _fields(USER_INTS, INT)
    | _fields(COUNTERS, INT)
    | {"button": TEXT, "PushNotification": PUSH, "PrivacySetting": PRIVACY},
    null=True,
    unread=_names(USER_UNREAD),
)
ACCOUNT = Obj(
    {"User": USER, "PushNotification": PUSH, "PrivacySetting": PRIVACY},
    {
        "Playlist": ListOf(Obj({"id": INT, "user_id": INT, "name": TEXT})),
        "Card": ListOf(Obj({"id": INT})),
        "DeliveryAddress": ListOf(Obj()),
    },
    unread=frozenset(),
)
SOUND = Obj(
    {"id": INT, "audio": TEXT, "name": TEXT, "thum": TEXT},
    _fields("description duration uploaded_by job_id created", TEXT)
    | _fields("sound_section_id publish total_videos favourite", INT),
    unread=_names("thumbnail"),
)
LOCATION = Obj(
    may={"id": INT}
    | _fields("name string lat long google_place_id image created", TEXT),
    null=True,
    unread=frozenset(),
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
    ai_hashtags ai_filters created product_id
""",
        TEXT,
    )
    | {"duration": Number()},
    null=True,
    unread=_names(
        "PlaylistVideo aws_label thumbnail thumbnail_url video_url view_count"
        " share_count"
    ),
)
#: Typed as a number, the text of the comment included.
PIN_COMMENT = Obj(
    may=_fields("id user_id video_id comment", INT) | {"created": TEXT},
    null=True,
    unread=frozenset(),
)
#: Objects, never lists (HomeModel.swift:47): one list there loses the whole feed.
HASHTAG_VIDEO = Obj(may=_fields("id hashtag_id video_id", INT), null=True)
HASHTAG = Obj(may={"id": INT, "name": TEXT, "favourite": INT}, null=True)
ITEM_PARTS: dict[str, Kind] = {
    "Location": LOCATION,
    "PinComment": PIN_COMMENT,
    "HashtagVideo": HASHTAG_VIDEO,
    "Hashtag": HASHTAG,
}
ITEM = Obj(
    {"Video": VIDEO, "User": USER, "Sound": SOUND},
    ITEM_PARTS,
    null=True,
    unread=frozenset(),
)
VIDEO_COMMENT = Obj(
    _fields("id user_id video_id", INT_OR_TEXT) | _fields("comment created", TEXT),
    _fields("owner_like like like_count comment_id", INT_OR_TEXT) | {"User": USER},
    null=True,
    unread=frozenset(),
)
VIDEO_PRODUCT = Obj(
    may=_fields("id dish_id video_id store_id", INT)
    | _fields("type product_id updated_at product_mealme_json", TEXT),
    null=True,
    unread=frozenset(),
)
DETAIL = Obj(
    ITEM.must,
    {
        **ITEM_PARTS,
        "VideoComment": ListOf(VIDEO_COMMENT),
        "VideoProduct": ListOf(VIDEO_PRODUCT),
    },
    null=True,
    unread=frozenset(),
)
FEED = ListOf(ITEM)
PROFILE_VIDEOS = Obj({"public": FEED, "private": FEED})
LINE_OF_USER = ListOf(Obj({"User": USER}))
BLOCK = Obj({"id": INT, "user_id": INT, "block_user_id": INT, "created": TEXT})
BLOCKED = Obj({"BlockUser": BLOCK, "BlockedUser": STRICT_USER})
LIKE_COUNTERS: dict[str, Kind] = {"like": INT, "like_count": INT}
LIKED = Obj(
    {
        "VideoLike": Obj(_fields("id user_id video_id", INT) | {"created": TEXT}),
        "Video": VIDEO,
        "User": USER,
    },
    unread=frozenset(),
)
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
WALLET = Obj({"id": INT, "wallet": INT}, USER.may, null=True, unread=USER.unread)
PAYOUT = Obj(_fields("id user_id primary", INT) | _fields("type value created", TEXT))
BOUGHT = Obj({"PurchaseCoin": PURCHASE, "User": WALLET})
NOT_YET = Anything()  # no good answer is given yet

ANSWERS = {
    "registerUser": Answer(ACCOUNT),
    "showUserDetail": Answer(ACCOUNT),
    "editProfile": Answer(ACCOUNT),
    "addDeviceData": Answer(Obj({"User": USER})),
    "registerDevice": Answer(
        Obj({"Device": Obj({"id": INT, "key": TEXT, "created": TEXT})})
    ),
    "checkUsername": Answer(TEXT, TEXT),
    "checkEmail": Answer(TEXT, TEXT),
    "checkPhoneNo": Answer(TEXT, TEXT),
    "checkPhone": Answer(TEXT, TEXT),
    "deleteUserAccount": Answer(TEXT, TEXT),
    "logout": Answer(TEXT, TEXT),
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
    "showVideoDetail": Answer(DETAIL),
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
    "addPayout": Answer(Obj({"Payout": PAYOUT, "User": WALLET})),
    "showPayout": Answer(Obj({"Payout": PAYOUT})),
    "showUsersAccordingToGiftReceive": Answer(LINE_OF_USER),
    "showUsersAccordingToGiftSent": Answer(LINE_OF_USER),
}
