"""Who may watch a broadcast."""

from typing import Literal, get_args

#: ``default``: as the service is set. ``token``: with a token, which whoever asks for
#: it gets. ``followers``: with one that only the host and followers get.
Policy = Literal["default", "public", "token", "followers"]
POLICIES: tuple[Policy, ...] = get_args(Policy)


def needs_token(policy: Policy, *, by_default: bool) -> bool:
    return by_default if policy == "default" else policy != "public"
