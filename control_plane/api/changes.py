"""What the apps say about an account, read from their bodies."""

import re

from control_plane.api.urls import picture, website
from control_plane.base.refusals import BadInput
from control_plane.people.model.users import NewUser, ProfileChange
from control_plane.web.body import Body
from control_plane.web.dispatch import Call

EMAIL = re.compile(r"^[^@\s]+@[^@\s]+$")
FLAGS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
PHONE = re.compile(r"^\+?[0-9 ()-]{3,31}$")


def new_user(call: Call) -> NewUser:
    body = call.body
    return NewUser(
        username=body.text("username", longest=30),
        first_name=body.text("first_name", longest=100),
        last_name=body.text("last_name", longest=100),
        email=body.text("email", longest=254),
        phone=body.text("phone", longest=32),
        dob=body.text("dob", longest=10),
        profile_pic=picture(call, "profile_pic"),
        device_token=body.text("device_token", longest=512),
    )


def profile_change(call: Call) -> ProfileChange:
    """A field that is sent empty becomes empty, except for names and pictures: the
    apps send those empty when nothing was chosen."""
    body = call.body
    return ProfileChange(
        username=_filled(body, "username", 30),
        first_name=_sent(body, "first_name", 100),
        last_name=_sent(body, "last_name", 100),
        email=_matching(body, "email", 254, EMAIL),
        phone=_matching(body, "phone", 32, PHONE),
        bio=_sent(body, "bio", 1000, lines=True),
        website=website(call, "website"),
        gender=_sent(body, "gender", 20),
        dob=_sent(body, "dob", 10),
        profile_pic=picture(call, "profile_pic") or None,
        profile_gif=picture(call, "profile_gif") or None,
        private=flag(body, "private"),
        profile_view=flag(body, "profile_view"),
    )


def device_change(body: Body) -> ProfileChange:
    """Where the phone is, it keeps to itself: nothing here needs it."""
    return ProfileChange(
        device_token=_filled(body, "device_token", 512),
        device=_filled(body, "device", 100),
        version=_filled(body, "version", 50),
    )


def _sent(body: Body, name: str, longest: int, *, lines: bool = False) -> str | None:
    if body.fields.get(name) is None:
        return None
    return body.text(name, longest=longest, lines=lines)


def _filled(body: Body, name: str, longest: int) -> str | None:
    return body.text(name, longest=longest) or None


def _matching(
    body: Body, name: str, longest: int, pattern: re.Pattern[str]
) -> str | None:
    text = _filled(body, name, longest)
    if text is not None and not pattern.match(text):
        raise BadInput(f"This is not a valid {name}.")
    return text


def flag(body: Body, name: str) -> bool | None:
    """Also from true and false, as words too."""
    if not body.has(name):
        return None
    word = str(body.fields[name]).strip().lower()
    if word not in FLAGS:
        raise BadInput(f"{name} must be 0 or 1.")
    return FLAGS[word]
