"""``control-plane sessions`` and ``kick``."""

import click

from control_plane.base.refusals import Refusal
from control_plane.commands.output import as_json, run, show, show_one
from control_plane.live.model.sessions import LiveSession
from control_plane.wiring.services import Services

OUT = "Nobody publishes there any more."
NOT_OUT = "It may not come back, but its node has not let go of it yet."


@click.group()
def sessions() -> None:
    """What is, or was, live."""


@sessions.command("list")
@click.option("--all", "everything", is_flag=True, help="Ended and expired ones too.")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
@as_json
def list_sessions(everything: bool, limit: int, as_json: bool) -> None:
    """List sessions, newest first."""

    async def work(services: Services) -> list[dict[str, object]]:
        found = await services.broadcasts.listing(limit, everything=everything)
        counts = await services.counts.of(found)
        return [_row(session, counts.get(session.id, 0)) for session in found]

    show(run(work), json_wanted=as_json)


@sessions.command("show")
@click.argument("session_id", type=int)
@as_json
def show_session(session_id: int, as_json: bool) -> None:
    """Everything about one session."""

    async def work(services: Services) -> dict[str, object]:
        session = await services.broadcasts.get(session_id)
        counts = await services.counts.of([session])
        attended = await services.broadcasts.attended(session_id)
        return _row(session, counts.get(session.id, 0)) | {
            "title": session.title,
            "peak_viewers": session.peak_viewers,
            "unique_viewers": attended.unique_viewers,
            "watched_seconds": round(attended.viewer_seconds),
            "reconnecting_until": session.reconnect_until,
            "publisher": session.publisher_id,
            "ended_at": session.ended_at,
            "end_reason": session.end_reason,
        }

    show_one(run(work), json_wanted=as_json)


@sessions.command("minutes")
@click.argument("session_id", type=int)
@as_json
def show_minutes(session_id: int, as_json: bool) -> None:
    """How many watched a session, minute by minute."""

    async def work(services: Services) -> list[dict[str, object]]:
        session = await services.broadcasts.get(session_id)
        attended = await services.broadcasts.attended(session.id)
        return [
            {
                "minute": one.minute,
                "viewers_max": one.viewers_max,
                "watched_seconds": round(one.viewer_seconds),
            }
            for one in attended.minutes
        ]

    show(run(work), json_wanted=as_json)


@sessions.command("events")
@click.argument("session_id", type=int)
@as_json
def show_events(session_id: int, as_json: bool) -> None:
    """What happened in a session, in order."""

    async def work(services: Services) -> list[dict[str, object]]:
        found = await services.broadcasts.events(session_id)
        return [
            {"seq": e.seq, "type": e.type, "at": e.at, "data": e.data} for e in found
        ]

    show(run(work), json_wanted=as_json)


@sessions.command("end")
@click.argument("session_id", type=int)
@as_json
def end_session(session_id: int, as_json: bool) -> None:
    """End a session as its host would, and cut its publisher."""

    async def work(services: Services) -> bool:
        session = await services.broadcasts.get(session_id)
        if not session.is_open:
            raise Refusal("It is over already.")
        return await services.broadcasts.end(session, "completed")

    say_out(run(work), as_json)


@click.command()
@click.argument("session_id", type=int)
@as_json
def kick(session_id: int, as_json: bool) -> None:
    """End a session as kicked; its encoder is kept out."""

    async def work(services: Services) -> bool:
        session = await services.broadcasts.get(session_id)
        if not session.is_open:
            raise Refusal("It is over already.")
        return await services.moderation.kick(session)

    say_out(run(work), as_json)


def say_out(out: bool, json_wanted: bool) -> None:
    if json_wanted:
        show_one({"out": out}, json_wanted=True)
    else:
        click.echo(OUT if out else NOT_OUT)
    if not out:
        raise SystemExit(1)


def _row(session: LiveSession, viewers: int) -> dict[str, object]:
    return {
        "id": session.id,
        "status": session.status,
        "user": session.username,
        "user_id": session.user_id,
        "path": session.path,
        "node": session.node,
        "viewers": viewers,
        "started_at": session.started_at,
    }
