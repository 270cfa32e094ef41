"""``control-plane keys``: stream keys, and taking them away."""

import click

from control_plane.commands.asking import Json, post, rows
from control_plane.commands.output import (
    as_json,
    because,
    limited,
    moment,
    only,
    show,
    show_one,
)


@click.group()
def keys() -> None:
    """Stream keys, masked."""


@keys.command("list")
@click.option("--user", "user_id", type=int, help="Of one user only.")
@limited
@as_json
def list_keys(user_id: int | None, limit: int, as_json: bool) -> None:
    """List keys, newest first."""
    found = rows("/v1/keys", limit, user_id=user_id)
    show(found, json_wanted=as_json, shape=_row)


@keys.command("create")
@click.argument("username")
@click.option("--new", is_flag=True, help="Make the account, if nobody has that name.")
@click.option(
    "--channel", default="", help="Its channel's name, where it has none yet."
)
@click.option("--name", default="", help="What the key is called in lists.")
@because
@as_json
def create(
    username: str, new: bool, channel: str, name: str, reason: str, as_json: bool
) -> None:
    """Give out a lasting key, for OBS and the like. It is shown this once.

    Server and stream key are OBS's two fields.
    """
    found = post(
        "/v1/keys",
        username=username,
        new=new,
        channel=channel,
        name=name,
        reason=reason,
    )
    show_one(found, json_wanted=as_json)


@keys.command("revoke")
@click.argument("key_id", type=int)
@because
def revoke(key_id: int, reason: str) -> None:
    """Revoke a key; whoever publishes with it is cut."""
    post("/v1/keys/{id}/revoke", id=key_id, reason=reason)
    click.echo("It is revoked.")


@keys.command("rotate")
@click.argument("key_id", type=int)
@click.option(
    "--overlap", default=3600, show_default=True, help="Seconds that both count."
)
@click.option(
    "--now", is_flag=True, help="The old one counts no more; who uses it is cut."
)
@because
@as_json
def rotate(key_id: int, overlap: int, now: bool, reason: str, as_json: bool) -> None:
    """Put another key in a channel's key's place. It is shown this once."""
    path, why = "/v1/keys/{id}/rotate", reason
    found = post(path, id=key_id, overlap=overlap, at_once=now, reason=why)
    show_one(found, json_wanted=as_json)


def _row(one: Json) -> Json:
    return {
        **only(one, "id key state user_id session_id channel"),
        "created_at": moment(one["created_at"]),
        "last_published_at": moment(one["last_published_at"]),
        "name": one["name"],
    }
