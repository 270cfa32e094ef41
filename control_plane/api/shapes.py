"""What the apps decode (docs/apps.md). Every type is theirs."""

from datetime import UTC, datetime

from control_plane.live.model.keys import StreamKey, masked
from control_plane.people.model.users import Profile, User
from control_plane.web.snapshots import Json, iso, when

SECRET_FIELDS = (
    "password",
    "token",
    "version",
    "device",
    "ip",
    "city",
    "country",
    "state",
    "region",
    "location_string",
    "paypal",
    "reset_wallet_datetime",
    "referral_code",
    "social",
    "social_id",
    "profile_video",
)


#: What is the same for every user.
_ALIKE: Json = {
    **dict.fromkeys(SECRET_FIELDS, ""),
    "role": "user",
    "device_token": "",
    # Both apps read these as text, and the Android map crashes on "".
    "lat": "0",
    "long": "0",
    "online": 0,
    "business": 0,
    "parent": 0,
    "country_id": 0,
    "total_all_time_coins": 0,
    "comission_earned": 0,
    "total_balance_usd": 0,
    "followers_count": 0,
    "follower_count": 0,
    "following_count": 0,
    "likes_count": 0,
    "video_count": 0,
    "sold_items_count": 0,
    "tagged_products_count": 0,
    "profile_visit_count": 0,
    "unread_notification": 0,
    "block": 0,
    "notification": 0,
    "verification_applied": 0,
    "story": [],
    # An empty list opens the interest picker on every start of the Android app.
    "Interests": [{"id": 1, "title": "Live"}],
    "Playlist": [],
}


def user(
    of: User, *, own_token: str | None = None, wallet: int = 0, **more: object
) -> Json:
    """``own_token``: only when the caller is this very user. What is private to a
    user (e-mail, phone, device) is empty for everyone else."""
    own = own_token is not None
    return {
        **_ALIKE,
        "id": of.id,
        "username": of.username,
        "first_name": of.first_name,
        "last_name": of.last_name,
        "bio": of.bio,
        "website": of.website,
        "gender": of.gender,
        "dob": of.dob if own else "",
        "email": of.email if own else "",
        "phone": of.phone if own else "",
        "profile_pic": of.profile_pic,
        "profile_pic_small": of.profile_pic,
        "profile_gif": of.profile_gif,
        "auth_token": own_token or "",
        "created": when(of.created_at),
        "active": 2 if of.banned else 1,
        "verified": int(of.verified),
        "private": int(of.private),
        "profile_view": int(of.profile_view),
        "wallet": wallet,
        "button": "0" if own else "follow",
        **more,
    }


def profile(
    of: Profile,
    viewer_id: int,
    *,
    own_token: str | None = None,
    wallet: int = 0,
    **more: object,
) -> Json:
    """A user with counts, and with what is between them and the viewer."""
    own = own_token is not None
    return user(
        of.user,
        own_token=own_token,
        wallet=wallet,
        followers_count=of.followers,
        follower_count=of.followers,
        following_count=of.following,
        likes_count=of.likes,
        video_count=of.videos,
        button="0" if own or of.user.id == viewer_id else button(of),
        **_block(of, viewer_id),
        **more,
    )


def button(of: Profile) -> str:
    """Exactly these spellings: both apps compare them."""
    if of.followed_by_me:
        return "Friends" if of.follower_of_me else "following"
    return "follow back" if of.follower_of_me else "follow"


def _block(of: Profile, viewer_id: int) -> Json:
    """``BlockUser`` only where there is one: its user_id is who blocked."""
    if not of.blocked_by_me and not of.blocker_of_me:
        return {}
    who, whom = viewer_id, of.user.id
    if not of.blocked_by_me:
        who, whom = whom, who
    return {
        "block": 1,
        "BlockUser": {"id": 1, "user_id": who, "block_user_id": whom, "created": ""},
    }


def seen(of: Profile, viewer_id: int) -> Json:
    """As above, with the two settings nested, as the apps want it beside a video."""
    return profile(
        of,
        viewer_id,
        PushNotification=push_notification(of.user.id),
        PrivacySetting=privacy_setting(of.user.id),
    )


def placeholder(user_id: int) -> Json:
    """For strict lists and refusals: everything is there, and it is about nobody."""
    return user(
        User(
            id=user_id,
            **dict.fromkeys(NO_TEXT, ""),
            private=False,
            profile_view=False,
            verified=False,
            token_version=0,
            banned_at=None,
            deleted_at=None,
            created_at=datetime.fromtimestamp(0, UTC),
        )
    )


NO_TEXT = (
    "username",
    "first_name",
    "last_name",
    "email",
    "phone",
    "bio",
    "website",
    "gender",
    "dob",
    "profile_pic",
    "profile_gif",
    "device_token",
    "ban_reason",
)


_NOTIFIED: Json = dict.fromkeys(
    (
        "likes",
        "comments",
        "new_followers",
        "mentions",
        "direct_messages",
        "video_updates",
    ),
    1,
)
_PRIVACY: Json = {
    "videos_download": 1,
    "videos_repost": 1,
    "direct_message": "everyone",
    "duet": "everyone",
    "video_comment": "everyone",
    "liked_videos": "everyone",
    "order_history": "only_me",
}


def push_notification(user_id: int) -> Json:
    return {"id": user_id, **_NOTIFIED}


def privacy_setting(user_id: int) -> Json:
    return {"id": user_id, **_PRIVACY}


def account(shape: Json, user_id: int) -> Json:
    """The answer of every call that is about one user."""
    return {
        "User": shape,
        "PushNotification": push_notification(user_id),
        "PrivacySetting": privacy_setting(user_id),
        "Playlist": [],
    }


def stream_key(key: StreamKey) -> Json:
    return {
        "id": key.id,
        "name": key.name,
        "channel_name": key.channel,
        "key": masked(key.hint),
        "created": when(key.created_at),
        "last_used": when(key.last_published_at),
        "state": key.state(datetime.now(UTC)),
        "opens_at": iso(key.opens_at),
        "closes_at": iso(key.closes_at),
        "one_shot": int(key.one_shot),
        "replaced_by": key.replaced_by or 0,
    }
