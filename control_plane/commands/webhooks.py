"""``control-plane webhooks``: where events are sent."""

from collections.abc import Mapping
from datetime import timedelta

import click

from control_plane.base.refusals import Refusal
from control_plane.commands.output import as_json, run, show, show_one
from control_plane.events.model import BadCursor, Position, position
from control_plane.events.types import KINDS
from control_plane.webhooks.model.endpoints import Endpoint, Wish
from control_plane.webhooks.model.messages import Answer
from control_plane.webhooks.service.webhooks import Verified, answered, number
from control_plane.wiring.services import Services


@click.group()
def webhooks() -> None:
    """Receivers of events."""


@webhooks.command("add")
@click.argument("url")
@click.option("--type", "types", multiple=True, type=click.Choice(sorted(KINDS)))
@click.option("--description", default="")
@as_json
def add(url: str, types: tuple[str, ...], description: str, as_json: bool) -> None:
    """Add a receiver of these types, default: of all. Prints its secret."""

    async def work(services: Services) -> Mapping[str, object]:
        hooks = services.events.webhooks
        found = await hooks.add(Wish(url, types, description))
        return _verified(found) | {"secret": hooks.secret(found.endpoint)}

    show_one(run(work), json_wanted=as_json)


@webhooks.command("list")
@as_json
def list_endpoints(as_json: bool) -> None:
    """List receivers."""

    async def work(services: Services) -> list[Endpoint]:
        return await services.events.webhooks.listing()

    show([_row(one) for one in run(work)], json_wanted=as_json)


@webhooks.command("remove")
@click.argument("endpoint_id", type=int)
def remove(endpoint_id: int) -> None:
    """Remove a receiver, and all that waits for it."""
    run(lambda services: services.events.webhooks.remove(endpoint_id))
    click.echo("It is removed.")


@webhooks.command("enable")
@click.argument("endpoint_id", type=int)
@click.option("--skip", is_flag=True, help="Leave out what happened meanwhile.")
@as_json
def enable(endpoint_id: int, skip: bool, as_json: bool) -> None:
    """Switch a receiver on; it has to answer a challenge."""

    async def work(services: Services) -> Verified:
        return await services.events.webhooks.enable(endpoint_id, skip=skip)

    show_one(_verified(run(work)), json_wanted=as_json)


@webhooks.command("disable")
@click.argument("endpoint_id", type=int)
def disable(endpoint_id: int) -> None:
    """Switch a receiver off; what happens waits in the log."""
    run(lambda services: services.events.webhooks.disable(endpoint_id))
    click.echo("It is off.")


@webhooks.command("rotate")
@click.argument("endpoint_id", type=int)
@click.option("--hours", default=24.0, show_default=True, help="The old one counts.")
def rotate(endpoint_id: int, hours: float) -> None:
    """Print a new secret; for some hours messages are signed with both."""

    async def work(services: Services) -> str:
        hooks = services.events.webhooks
        return hooks.secret(await hooks.rotate(endpoint_id, timedelta(hours=hours)))

    click.echo(run(work))


@webhooks.command("send-test")
@click.argument("endpoint_id", type=int)
def send_test(endpoint_id: int) -> None:
    """Send a message by hand, and say what came back."""

    async def work(services: Services) -> Answer:
        return await services.events.webhooks.send_test(endpoint_id)

    answer = run(work)
    if not answer.taken:
        raise click.ClickException(f"It was not taken: {answer.reason}.")
    click.echo(f"It was taken: {answer.status}.")


@webhooks.command("deliveries")
@click.argument("endpoint_id", type=int)
@click.option("--limit", default=50, show_default=True, help="At most so many.")
@click.option("--dead", is_flag=True, help="Only what was given up.")
@as_json
def deliveries(endpoint_id: int, limit: int, dead: bool, as_json: bool) -> None:
    """The delivery log, newest first."""

    async def work(services: Services) -> list[Mapping[str, object]]:
        hooks = services.events.webhooks
        if dead:
            letters = await hooks.dead_letters(endpoint_id)
            return [
                {"event": f"evt_{one.event_id}", "at": one.died_at, "error": one.error}
                for one in letters
            ]
        found = await hooks.deliveries(endpoint_id, limit)
        return [
            {
                "at": one.at,
                "event": f"evt_{one.event_id}" if one.event_id else "",
                "type": one.type,
                "status": one.status,
                "ms": one.milliseconds,
                "error": one.error,
            }
            for one in found
        ]

    show(run(work), json_wanted=as_json)


@webhooks.command("resend")
@click.argument("endpoint_id", type=int)
@click.argument("event_ids", nargs=-1)
@click.option("--dead", is_flag=True, help="All that was given up.")
@click.option("--after", help="A range: behind this cursor …")
@click.option("--until", help="… up to this one.")
def resend(
    endpoint_id: int,
    event_ids: tuple[str, ...],
    dead: bool,
    after: str | None,
    until: str | None,
) -> None:
    """Send events once more, at once, by their ids or as a range."""

    async def work(services: Services) -> list[Answer]:
        hooks = services.events.webhooks
        if after is not None and until is not None:
            span = _cursor(after), _cursor(until)
            return await hooks.resend_range(endpoint_id, *span)
        ids = [number(one) for one in event_ids]
        if dead:
            ids += [one.event_id for one in await hooks.dead_letters(endpoint_id)]
        return await hooks.resend(endpoint_id, ids)

    try:
        click.echo(answered(run(work)))
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence) from None


def _cursor(text: str) -> Position:
    try:
        return position(text)
    except BadCursor:
        raise Refusal(f"{text} is no cursor of this log.") from None


def _verified(found: Verified) -> dict[str, object]:
    row = _row(found.endpoint)
    return row | ({"problem": found.problem} if found.problem else {})


def _row(one: Endpoint) -> dict[str, object]:
    return {
        "id": one.id,
        "url": one.url,
        "types": " ".join(one.types) or "all",
        "state": "on" if one.enabled else one.disabled_because,
        "failing_since": one.failing_since,
        "cursor": str(one.position),
        "description": one.description,
    }
