"""A lasting stream key for OBS, from the running service."""

import json
from typing import Any
from urllib import request

from deploy.local.errors import LocalError

TIMEOUT = 10.0  # seconds


def obs_fields(base: str, user: str, channel: str) -> str:
    """Signs the user in, as development mode allows, and makes a key."""
    who = {"social": "google", "social_id": user, "username": user}
    token = _ask(base, "registerUser", who)["User"]["auth_token"]
    body = {"name": "OBS", "channel_name": channel}
    key = _ask(base, "streamKeys", body, token)["StreamKey"]
    return (
        f"Server      {key['rtmp_server']}\n"
        f"Stream key  {key['stream_key']}\n"
        f"Watch it    {base}/watch/{key['channel_name']}\n"
        "The key is shown this once. It stays good until it is revoked."
    )


def _ask(base: str, name: str, body: dict[str, str], token: str = "") -> Any:
    headers = {"Content-Type": "application/json", "Auth-Token": token}
    call = request.Request(  # noqa: S310  (the caller's own http:// address)
        f"{base}/api/{name}", json.dumps(body).encode(), headers
    )
    try:
        with request.urlopen(call, timeout=TIMEOUT) as response:  # noqa: S310
            answer = json.load(response)
    except OSError:
        raise LocalError(f"Nothing answers at {base}. Is `make run` running?") from None
    if answer["code"] != 200:
        raise LocalError(str(answer["msg"]))
    return answer["msg"]
