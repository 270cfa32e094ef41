"""A video with all that stands beside it (docs/apps.md)."""

from control_plane.api import shapes
from control_plane.videos.model.videos import Item, Video
from control_plane.web.snapshots import Json, when

NUMBERS = (
    "sound_id",
    "share",
    "favourite",
    "repost",
    "block",
    "promote",
    "pin",
    "pin_comment_id",
    "duet_video_id",
    "old_video_id",
    "repost_user_id",
    "repost_video_id",
    "quality_check",
    "viral",
    "story",
    "country_id",
    "tag_product",
    "tag_store_id",
    "location_id",
)
TEXTS = (
    "section",
    "city",
    "state",
    "country",
    "region",
    "location_string",
    "location_title",
    "video_with_watermark",
    "job_id",
    "ai_summary",
    "ai_category",
    "ai_hashtags",
    "ai_filters",
    "aws_label",
    "product_id",
    "gif",
    "user_thumbnail",
)


#: What is the same for every video.
_ALIKE: Json = {
    **dict.fromkeys(NUMBERS, 0),
    **dict.fromkeys(TEXTS, ""),
    # Comments and duets are not served yet; this hides their buttons.
    "allow_comments": "false",
    "allow_duet": 0,
    # The Android map crashes on "".
    "lat": "0",
    "long": "0",
    "PlaylistVideo": {"id": 0},
}
#: No sound; iOS wants the object all the same. ``duration`` is text.
_SOUND: Json = {
    **dict.fromkeys(
        ("id", "sound_section_id", "publish", "total_videos", "favourite"), 0
    ),
    **dict.fromkeys(
        (
            "audio",
            "name",
            "description",
            "thum",
            "thumbnail",
            "duration",
            "uploaded_by",
            "job_id",
            "created",
        ),
        "",
    ),
}
_LOCATION: Json = {
    "id": 0,
    **dict.fromkeys(("name", "string", "google_place_id", "image", "created"), ""),
    "lat": "0",
    "long": "0",
}


def video(of: Video, base: str, *, liked: bool) -> Json:
    """``base``: this server's address, for what it serves itself. ``like`` says
    whether the viewer likes it; ``like_count`` is the counter."""
    url, picture = _absolute(of.video_url, base), _absolute(of.thumbnail_url, base)
    return {
        **_ALIKE,
        "id": of.id,
        "user_id": of.user_id,
        "description": of.description,
        "video": url,
        "video_url": url,
        "thum": picture,
        "default_thumbnail": picture,
        "thumbnail": picture,
        "thumbnail_url": picture,
        "view": of.view_count,
        "view_count": of.view_count,
        "share": of.share_count,
        "share_count": of.share_count,
        "like": int(liked),
        "like_count": of.like_count,
        "comment_count": of.comment_count,
        "favourite_count": of.favourite_count,
        "privacy_type": of.privacy_type,
        "duration": of.duration,
        "width": of.width,
        "height": of.height,
        "created": when(of.created_at),
    }


def item(of: Item, viewer_id: int, base: str) -> Json:
    """One line of a feed. Android calls into User and its settings unchecked. No
    Hashtag or HashtagVideo: a list there makes iOS drop the whole feed."""
    return {
        "Video": video(of.video, base, liked=of.liked),
        "User": shapes.seen(of.author, viewer_id),
        "Sound": _SOUND,
        "Location": _LOCATION,
        "PinComment": {"id": 0},
    }


def _absolute(url: str, base: str) -> str:
    return base + url if url.startswith("/") else url
