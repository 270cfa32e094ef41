"""``control-plane users``: what operators do about accounts."""

import click

from control_plane.commands.asking import Json, get, post, rows
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
def users() -> None:
    """The accounts of the app."""


@users.command("list")
@click.argument("search", default="")
@click.option("--banned", is_flag=True, help="Only who is banned.")
@limited
@as_json
def list_users(search: str, banned: bool, limit: int, as_json: bool) -> None:
    """List accounts, newest first, or SEARCH them: a name's beginning, an id, or a
    whole e-mail address or number."""
    found = rows("/v1/users", limit, q=search, banned=banned)
    show(found, json_wanted=as_json, shape=_row)


@users.command("show")
@click.argument("user_id", type=int)
@as_json
def show_user(user_id: int, as_json: bool) -> None:
    """One account, its channel and its newest sessions."""
    found = get("/v1/users/{id}", id=user_id)
    show_one(found, json_wanted=as_json, shape=_detail)


@users.command("sign-out")
@click.argument("user_id", type=int)
@because
@as_json
def sign_out(user_id: int, reason: str, as_json: bool) -> None:
    """Sign a user out on every device."""
    post("/v1/users/{id}/sign-out", id=user_id, reason=reason)
    if as_json:
        show_one({"signed_out": True}, json_wanted=True)
    else:
        click.echo("Signed out everywhere.")


def _row(one: Json) -> Json:
    return {
        **only(one, "id username verified"),
        "created_at": moment(one["created_at"]),
        "banned_at": moment(one["banned_at"]),
        "ban_reason": one["ban_reason"],
        "deleted_at": moment(one["deleted_at"]),
        "name": f"{one['first_name']} {one['last_name']}".strip(),
    }


def _detail(found: Json) -> Json:
    channel, sessions = found["channel"] or {}, found["sessions"]
    return {
        **_row(found["user"]),
        "channel": channel.get("name"),
        "sessions": " ".join(f"{one['id']}:{one['status']}" for one in sessions),
    }
