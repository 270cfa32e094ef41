"""What is read of the live endpoints, which neither app calls today: by an app with the
edits of docs/apps.md, decoded as strictly as iOS decodes, and by our own pages."""

from control_plane.api.app_shapes.kinds import (
    Answer,
    Either,
    Int,
    Kind,
    ListOf,
    Obj,
    Text,
)

INT, TEXT = Int(), Text()
FILLED = Text(filled=True)
STATUS = Text(("created", "live", "reconnecting", "ended", "expired"))


def _fields(names: str, kind: Kind) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), kind)


SESSION_FIELDS: dict[str, Kind] = {
    # Digits: a key in Firebase and a channel's name in today's Android app.
    "id": FILLED,
    "status": STATUS,
    "policy": Text(("default", "public", "token", "followers", "paid")),
    **_fields("user_id duration reconnect_window viewers peak_viewers", INT),
    "ticket_price": INT,
    **_fields("username channel_name path title cover end_reason created", TEXT),
    **_fields("started_at ended_at reconnecting_until", TEXT),
}
SESSION = Obj(SESSION_FIELDS)
STARTED = Obj(
    SESSION_FIELDS
    | _fields(
        "rtmp_url rtmp_server stream_key key srt_url whip_url playback_url expires_at",
        FILLED,
    )
)
KEY_FIELDS = {"id": INT, **_fields("name channel_name key", TEXT)}
KEY = Obj(KEY_FIELDS | _fields("created last_used", TEXT))
#: Its addresses are empty while no node takes a broadcast.
NEW_KEY = Obj(
    KEY_FIELDS
    | {"stream_key": FILLED}
    | _fields("rtmp_server rtmp_url srt_url whip_url playback_url", TEXT)
)
WATCH = Obj(
    {
        "token": FILLED,
        "viewer": FILLED,
        "playback_url": FILLED,
        "expires_at": INT,
        "LiveStreaming": SESSION,
    }
)

TICKET = Obj(_fields("id live_streaming_id user_id coin", INT))

#: Starting says more than this; ending does not.
ANSWERS = {
    "buyTicket": Answer(Obj({"Ticket": TICKET})),
    "refundTicket": Answer(Obj({"User": Obj({"wallet": INT})})),
    "liveStream": Answer(Obj({"LiveStreaming": Either(STARTED, SESSION)})),
    "showLiveStreams": Answer(ListOf(Obj({"LiveStreaming": SESSION}))),
    "showLiveStream": Answer(Obj({"LiveStreaming": SESSION})),
    "watch": Answer(Obj({"Watch": WATCH})),
    "setLivePolicy": Answer(FILLED),
    "denyViewer": Answer(FILLED),
    "streamKeys": Answer(Obj({"StreamKey": NEW_KEY})),
    "showStreamKeys": Answer(ListOf(Obj({"StreamKey": KEY}))),
    "rotateStreamKey": Answer(Obj({"StreamKey": NEW_KEY})),
    "revokeStreamKey": Answer(FILLED),
}
