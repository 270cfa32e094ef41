"""``control-plane gifts``: who gave what to whom."""

import click

from control_plane.commands.asking import Json, rows
from control_plane.commands.output import (
    as_json,
    limited,
    moment,
    only,
    show_again,
    watched,
)


@click.group()
def gifts() -> None:
    """Gifts that were sent."""


@gifts.command("list")
@click.option("--session", "session_id", type=int, help="In one session only.")
@limited
@watched
@as_json
def list_gifts(
    session_id: int | None, limit: int, watch: float | None, as_json: bool
) -> None:
    """List gifts, newest first."""
    show_again(
        lambda: rows("/v1/gifts", limit, session_id=session_id),
        watch,
        json_wanted=as_json,
        shape=_row,
    )


def _row(one: Json) -> Json:
    return {
        **only(one, "id gift count coins sender_id receiver_id session_id video_id"),
        "created_at": moment(one["created_at"]),
    }
