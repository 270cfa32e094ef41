"""``control-plane channels``: where lasting keys lead."""

import click

from control_plane.commands.asking import Json, get, rows
from control_plane.commands.output import (
    as_json,
    limited,
    moment,
    only,
    show,
    show_one,
)


@click.group()
def channels() -> None:
    """Channels, which lasting keys open."""


@channels.command("list")
@click.argument("search", default="")
@limited
@as_json
def list_channels(search: str, limit: int, as_json: bool) -> None:
    """List channels, newest first, or those whose name begins with SEARCH."""
    found = rows("/v1/channels", limit, q=search)
    show(found, json_wanted=as_json, shape=_row)


@channels.command("show")
@click.argument("channel_id", type=int)
@as_json
def show_channel(channel_id: int, as_json: bool) -> None:
    """One channel and its keys."""
    found = get("/v1/channels/{id}", id=channel_id)
    show_one(found, json_wanted=as_json, shape=_detail)


def _row(one: Json) -> Json:
    """``session``: that is open on it."""
    return {
        **only(one, "id name path user_id"),
        "user": one["username"],
        "session": one["session_id"],
        "created_at": moment(one["created_at"]),
        "closed_until": moment(one["closed_until"]),
    }


def _detail(found: Json) -> Json:
    keys = " ".join(f"{key['id']}:{key['state']}" for key in found["keys"])
    return _row(found["channel"]) | {"keys": keys}
