"""A live session as the apps and the pages read it."""

from datetime import datetime

from control_plane.live.model.attendance import Attended
from control_plane.live.model.ingest import Health, advice
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.watching import Broadcast

Json = dict[str, object]


def when(value: datetime | None) -> str:
    """``yyyy-MM-dd HH:mm:ss`` in GMT, the apps' only form."""
    return "" if value is None else value.isoformat(" ", "seconds")[:19]


def live_streaming(session: LiveSession, viewers: int) -> Json:
    """``id`` is text: the older iOS app casts it to String."""
    return {
        "id": str(session.id),
        "user_id": session.user_id,
        "username": session.username,
        "channel_name": session.name,
        "path": session.path,
        "title": session.title,
        "cover": session.cover,
        "status": session.status,
        "started_at": when(session.started_at)
        or session.client_started_at
        or when(session.created_at),
        "ended_at": when(session.ended_at),
        "end_reason": session.end_reason or "",
        "duration": duration(session),
        "reconnecting_until": iso(session.reconnect_until),
        "reconnect_window": session.reconnect_window,
        "viewers": viewers,
        "peak_viewers": session.peak_viewers,
        "policy": session.policy,
        "ticket_price": session.ticket_price,
        "created": when(session.created_at),
    }


def duration(session: LiveSession) -> int:
    """Whole seconds from the first picture to the end; 0 while it runs."""
    if session.started_at is None or session.ended_at is None:
        return 0
    return int((session.ended_at - session.started_at).total_seconds())


def iso(value: datetime | None) -> str:
    return "" if value is None else f"{value.isoformat(timespec='seconds')[:19]}Z"


def broadcast(of: Broadcast) -> Json:
    return live_streaming(of.session, of.viewers) | {
        "profile_pic": of.host_picture,
        "node": of.node.name,
        "sandbox": of.node.sandbox,
        "thumbnail": preview(of.session.id) if of.pictured else "",
    }


def preview(session_id: int) -> str:
    """Where its picture is, on our public address."""
    return f"/previews/{session_id}.jpg"


def ingest(of: Health) -> Json:
    """For the host alone, as whatever says how well an encoder does."""
    return {
        "ingest": {
            "bitrate": of.bitrate or 0,
            "fps": of.fps or 0,
            "key_frame_seconds": of.key_frame_seconds or 0,
            "frames_in_error": of.frames_in_error or 0,
            "codec": of.codec,
            "profile": of.profile,
            "width": of.width,
            "height": of.height,
            "problems": list(of.problems),
            "advice": advice(of),
        }
    }


def attendance(of: Attended) -> Json:
    """For the host alone. Minutes in which nobody watched are left out."""
    return {
        "unique_viewers": of.unique_viewers,
        "watched_seconds": round(of.viewer_seconds),
        "minutes": [
            {
                "minute": when(one.minute),
                "viewers_max": one.viewers_max,
                "watched_seconds": round(one.viewer_seconds),
            }
            for one in of.minutes
        ],
    }
