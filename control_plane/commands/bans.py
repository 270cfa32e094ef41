"""``control-plane ban``, ``unban`` and ``bans``."""

from collections.abc import Callable

import click

from control_plane.commands.asking import Json, post, rows
from control_plane.commands.output import (
    Number,
    as_json,
    because,
    limited,
    moment,
    only,
    show,
    show_one,
)
from control_plane.commands.sessions import say_out

MOST = 100 * 366 * 24  # hours

Command = Callable[..., None]


def _whom(command: Command) -> Command:
    command = click.option("--address", default="", help="One, or a range.")(command)
    command = click.option("--device", default="", help="As its app calls it.")(command)
    return click.argument("user_id", type=int, required=False, default=0)(command)


@click.command()
@_whom
@click.option("--reason", default="", help="Kept with the ban.")
@click.option(
    "--hours",
    type=Number(min=0, min_open=True, max=MOST),
    help="Until then; default: until it is lifted.",
)
@as_json
def ban(
    user_id: int,
    device: str,
    address: str,
    reason: str,
    hours: float | None,
    as_json: bool,
) -> None:
    """Ban a user, a device or a range of addresses: ends what is live, closes what is
    watched, keeps them out. A user is signed out too."""
    found = post(
        "/v1/bans",
        user_id=user_id,
        device=device,
        address=address,
        reason=reason,
        hours=hours,
    )
    say_out(found, as_json)


@click.command()
@_whom
@because
@as_json
def unban(user_id: int, device: str, address: str, reason: str, as_json: bool) -> None:
    """Lift a ban."""
    found = post(
        "/v1/bans/lift",
        user_id=user_id,
        device=device,
        address=address,
        reason=reason,
    )
    if as_json:
        show_one(found, json_wanted=True)
        return
    click.echo("The ban is lifted." if found["changed"] else "There is no such ban.")


@click.command()
@click.option("--all", "everything", is_flag=True, help="Those that are over too.")
@limited
@as_json
def bans(everything: bool, limit: int, as_json: bool) -> None:
    """List bans, newest first."""
    found = rows("/v1/bans", limit, all=everything)
    show(found, json_wanted=as_json, shape=_row)


def _row(one: Json) -> Json:
    return {
        "id": one["id"],
        "user": one["user_id"] or "",
        **only(one, "device address by"),
        "since": moment(one["since"]),
        "ends_at": moment(one["ends_at"]),
        "ended_at": moment(one["ended_at"]),
        "reason": one["reason"],
    }
