"""Addresses that the apps send: where a picture is, or somebody's website."""

import re
from urllib.parse import unquote

from control_plane.base.refusals import BadInput, Refusal
from control_plane.web.dispatch import Call

_REST = r"(?::\d{1,5})?(?:[/?#][^\s\"<>\\]*)?"
_WEB = re.compile(rf"https?://(?:[\w.-]+|\[[0-9a-f:.]+\]){_REST}", re.I)
_BARE = re.compile(rf"[\w-]+(?:\.[\w-]+)+{_REST}")
SAYS_TOO_MUCH = (
    "This address holds your sign-in: whoever sees it could act as you."
    " Please update the app."
)
TOKEN_FIELDS = ("auth_token", "id_token")
LEAST_TOKEN = 8  # characters: less is no secret, and stands in any address
TIMES_ESCAPED = 3


def picture(call: Call, name: str) -> str:
    """ "" when none was sent."""
    text = call.body.text(name, longest=2000)
    return _checked(call, name, text) if text else ""


def website(call: Call, name: str) -> str | None:
    """As people write it: the scheme may be missing. None when none was sent, and ""
    when an empty one was."""
    if call.body.fields.get(name) is None:
        return None
    text = call.body.text(name, longest=300)
    if _BARE.fullmatch(text):
        text = f"https://{text}"
    return _checked(call, name, text) if text else ""


def _checked(call: Call, name: str, text: str) -> str:
    if not _WEB.fullmatch(text):
        raise BadInput(f"{name} must be an http or https address.")
    if _holds_token(call, text):
        raise Refusal(SAYS_TOO_MUCH)
    return text


def _holds_token(call: Call, text: str) -> bool:
    """The Android app names its folder of pictures after its Auth-Token, and
    everybody sees the address of a picture."""
    given = [call.token, *(call.body.fields.get(name) for name in TOKEN_FIELDS)]
    tokens = [one.strip() for one in given if isinstance(one, str)]
    for _ in range(TIMES_ESCAPED):
        if any(len(one) >= LEAST_TOKEN and one in text for one in tokens):
            return True
        text = unquote(text)
    return False
