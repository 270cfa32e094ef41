"""A lasting stream key for OBS, from the running service."""

import json
from http.client import HTTPException
from typing import Any
from urllib import request
from urllib.error import HTTPError

from deploy.local.errors import LocalError
from deploy.local.ports import PUBLIC

TIMEOUT = 10.0  # seconds
#: Past every proxy: none leads back to this machine.
DIRECTLY = request.build_opener(request.ProxyHandler({}))


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
        with DIRECTLY.open(call, timeout=TIMEOUT) as response:
            answer = _read(response.read())
    except (HTTPError, HTTPException, ValueError) as error:
        sentence = f"{base} does not answer as a control plane: {error}"
        raise LocalError(f"{sentence}. {PUBLIC.setting} names another port.") from None
    except OSError:
        raise LocalError(
            f"Nothing answers at {base}. Is `make run` running? "
            f"{PUBLIC.setting} names another port."
        ) from None
    if answer["code"] != 200:
        raise LocalError(str(answer["msg"]))
    return answer["msg"]


def _read(raw: bytes) -> dict[str, Any]:
    """ValueError: another program answered."""
    answer = json.loads(raw)
    if not isinstance(answer, dict) or not {"code", "msg"} <= answer.keys():
        raise ValueError('it says no "code" and "msg"')
    return answer
