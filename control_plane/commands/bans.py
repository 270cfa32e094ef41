"""``control-plane ban``, ``unban`` and ``bans``."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click

from control_plane.commands.output import as_json, run, show, show_one
from control_plane.commands.sessions import say_out
from control_plane.live.model.bans import Ban, Banned
from control_plane.wiring.services import Services

Command = Callable[..., None]


def _whom(command: Command) -> Command:
    command = click.option("--address", default="", help="One, or a range.")(command)
    command = click.option("--device", default="", help="As its app calls it.")(command)
    return click.argument("user_id", type=int, required=False, default=0)(command)


@click.command()
@_whom
@click.option("--reason", default="", help="Kept with the ban.")
@click.option("--hours", type=float, help="Until then; default: until it is lifted.")
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
    whom = Banned(user_id, device, address)
    ends_at = None if hours is None else datetime.now(UTC) + timedelta(hours=hours)

    async def work(services: Services) -> bool:
        return await services.moderation.ban(whom, reason, ends_at=ends_at)

    say_out(run(work), as_json)


@click.command()
@_whom
@as_json
def unban(user_id: int, device: str, address: str, as_json: bool) -> None:
    """Lift a ban."""
    whom = Banned(user_id, device, address)
    changed = run(lambda services: services.moderation.unban(whom))
    if as_json:
        show_one({"changed": changed}, json_wanted=True)
        return
    click.echo("The ban is lifted." if changed else "There is no such ban.")


@click.command()
@click.option("--all", "everything", is_flag=True, help="Those that are over too.")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
@as_json
def bans(everything: bool, limit: int, as_json: bool) -> None:
    """List bans, newest first."""

    async def work(services: Services) -> list[dict[str, object]]:
        found = await services.moderation.bans(everything=everything, limit=limit)
        return [_row(one) for one in found]

    show(run(work), json_wanted=as_json)


def _row(ban: Ban) -> dict[str, object]:
    return {
        "id": ban.id,
        "user": ban.whom.user_id or "",
        "device": ban.whom.device,
        "address": ban.whom.network,
        "reason": ban.reason,
        "by": ban.actor,
        "since": ban.created_at,
        "ends_at": ban.ends_at,
        "ended_at": ban.ended_at,
    }
