"""``control-plane sessions`` and ``kick``."""

from typing import get_args

import click

from control_plane.commands.asking import Json, get, post, rows
from control_plane.commands.log import everything
from control_plane.commands.output import (
    as_json,
    because,
    limited,
    moment,
    only,
    show,
    show_again,
    show_one,
    watched,
)
from control_plane.live.model.overview import Sort

OUT = "Nobody publishes there any more."
NOT_OUT = "It may not come back, but its node has not let go of it yet."

one_session = click.argument("session_id", type=int)


@click.group()
def sessions() -> None:
    """What is, or was, live."""


@sessions.command("list")
@click.argument("search", default="")
@click.option("--node", default="", help="At one node only.")
@click.option("--user", "user_id", type=int, help="Of one user only.")
@click.option("--sort", type=click.Choice(get_args(Sort)), default="newest")
@click.option("--all", "everything", is_flag=True, help="Ended and expired ones too.")
@limited
@watched
@as_json
def list_sessions(
    search: str,
    node: str,
    user_id: int | None,
    sort: Sort,
    everything: bool,
    limit: int,
    watch: float | None,
    as_json: bool,
) -> None:
    """List sessions, newest first, or SEARCH them: a part of the title, or a name's
    beginning."""
    state = "all" if everything else "open"
    wanted = {"state": state, "q": search, "node": node, "user_id": user_id}
    show_again(
        lambda: rows("/v1/sessions", limit, sort=sort, **wanted),
        watch,
        json_wanted=as_json,
        shape=session_row,
    )


@sessions.command("show")
@one_session
@as_json
def show_session(session_id: int, as_json: bool) -> None:
    """Everything about one session."""
    found = get("/v1/sessions/{id}", id=session_id)
    show_one(found, json_wanted=as_json, shape=_detail)


@sessions.command("minutes")
@one_session
@as_json
def show_minutes(session_id: int, as_json: bool) -> None:
    """How many watched a session, minute by minute."""
    found = get("/v1/sessions/{id}", id=session_id)["attended"]["minutes"]
    show(found, json_wanted=as_json, shape=_minute)


@sessions.command("events")
@one_session
@as_json
def show_events(session_id: int, as_json: bool) -> None:
    """What happened in a session, in order."""
    found = list(everything(subject=f"session/{session_id}"))
    show(found, json_wanted=as_json, shape=_event)


@sessions.command("end")
@one_session
@because
@as_json
def end_session(session_id: int, reason: str, as_json: bool) -> None:
    """End a session as its host would, and cut its publisher."""
    say_out(post("/v1/sessions/{id}/end", id=session_id, reason=reason), as_json)


@click.command()
@one_session
@because
@as_json
def kick(session_id: int, reason: str, as_json: bool) -> None:
    """End a session as kicked; its encoder is kept out."""
    say_out(post("/v1/sessions/{id}/kick", id=session_id, reason=reason), as_json)


def say_out(found: Json, json_wanted: bool) -> None:
    if json_wanted:
        show_one(found, json_wanted=True)
    else:
        click.echo(OUT if found["out"] else NOT_OUT)
    if not found["out"]:
        raise SystemExit(1)


def session_row(one: Json) -> Json:
    intake = one["ingest"] or {}
    return {
        **only(one, "id status"),
        "user": one["username"],
        **only(one, "user_id path node viewers"),
        "kbit": (intake.get("bitrate") or 0) // 1000 or "",
        "started_at": moment(one["started_at"]),
        "problems": " ".join(intake.get("problems", ())),
        "title": one["title"],
    }


def _detail(found: Json) -> Json:
    one, attended = found["session"], found["attended"]
    return {
        **session_row(one),
        **only(one, "policy peak_viewers"),
        "unique_viewers": attended["unique_viewers"],
        "watched_seconds": round(attended["viewer_seconds"]),
        "publisher": one["publisher"],
        "reconnecting_until": moment(one["reconnecting_until"]),
        "ended_at": moment(one["ended_at"]),
        "end_reason": one["end_reason"],
        "advice": " ".join((one["ingest"] or {}).get("advice", ())),
        "keys": " ".join(f"{key['id']}:{key['state']}" for key in found["keys"]),
    }


def _minute(one: Json) -> Json:
    return {
        "minute": moment(one["minute"]),
        "viewers_max": one["viewers_max"],
        "watched_seconds": round(one["viewer_seconds"]),
    }


def _event(one: Json) -> Json:
    at = moment(one["timestamp"])
    return {**only(one, "seq type"), "at": at, "data": one["data"]}
