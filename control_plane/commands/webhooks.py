"""``control-plane webhooks``: where events are sent."""

import click

from control_plane.commands.asking import Json, delete, get, post, rows
from control_plane.commands.output import (
    Number,
    as_json,
    because,
    limited,
    moment,
    only,
    show_again,
    show_one,
    watched,
)
from control_plane.events.types import KINDS

ONE = "/v1/webhooks/{id}"

endpoint = click.argument("endpoint_id", type=int)


@click.group()
def webhooks() -> None:
    """Receivers of events."""


@webhooks.command("add")
@click.argument("url")
@click.option("--type", "types", multiple=True, type=click.Choice(sorted(KINDS)))
@click.option("--description", default="")
@because
@as_json
def add(
    url: str, types: tuple[str, ...], description: str, reason: str, as_json: bool
) -> None:
    """Add a receiver of these types, default: of all. Prints its secret."""
    found = post(
        "/v1/webhooks", url=url, types=types, description=description, reason=reason
    )
    show_one(found, json_wanted=as_json, shape=_verified)


@webhooks.command("list")
@limited
@watched
@as_json
def list_endpoints(limit: int, watch: float | None, as_json: bool) -> None:
    """List receivers."""
    show_again(
        lambda: rows("/v1/webhooks", limit), watch, json_wanted=as_json, shape=_row
    )


@webhooks.command("show")
@endpoint
@as_json
def show_endpoint(endpoint_id: int, as_json: bool) -> None:
    """One receiver."""
    show_one(get(ONE, id=endpoint_id), json_wanted=as_json, shape=_verified)


@webhooks.command("remove")
@endpoint
def remove(endpoint_id: int) -> None:
    """Remove a receiver, and all that waits for it."""
    delete(ONE, id=endpoint_id)
    click.echo("It is removed.")


@webhooks.command("enable")
@endpoint
@click.option("--skip", is_flag=True, help="Leave out what happened meanwhile.")
@because
@as_json
def enable(endpoint_id: int, skip: bool, reason: str, as_json: bool) -> None:
    """Switch a receiver on; it has to answer a challenge."""
    found = post(f"{ONE}/enable", id=endpoint_id, skip=skip, reason=reason)
    show_one(found, json_wanted=as_json, shape=_verified)


@webhooks.command("disable")
@endpoint
@because
def disable(endpoint_id: int, reason: str) -> None:
    """Switch a receiver off; what happens waits in the log."""
    post(f"{ONE}/disable", id=endpoint_id, reason=reason)
    click.echo("It is off.")


@webhooks.command("rotate")
@endpoint
@click.option(
    "--hours",
    type=Number(min=0.0),
    default=24.0,
    show_default=True,
    help="The old one counts.",
)
@because
def rotate(endpoint_id: int, hours: float, reason: str) -> None:
    """Print a new secret; for some hours messages are signed with both.

    Secrets before those count for as long as was said; with 0 hours none does.
    """
    found = post(f"{ONE}/rotate", id=endpoint_id, hours=hours, reason=reason)
    click.echo(found["secret"])


@webhooks.command("send-test")
@endpoint
@because
def send_test(endpoint_id: int, reason: str) -> None:
    """Send a message by hand, and say what came back."""
    answer = post(f"{ONE}/test", id=endpoint_id, reason=reason)
    if not answer["taken"]:
        raise click.ClickException(f"It was not taken: {answer['error']}.")
    click.echo(f"It was taken: {answer['status']}.")


@webhooks.command("deliveries")
@endpoint
@click.option("--dead", is_flag=True, help="Only what was given up.")
@limited
@watched
@as_json
def deliveries(
    endpoint_id: int, dead: bool, limit: int, watch: float | None, as_json: bool
) -> None:
    """The delivery log, newest first."""

    def look() -> list[Json]:
        if dead:
            letters: list[Json] = get(f"{ONE}/dead", id=endpoint_id)["letters"]
            return letters
        return rows(f"{ONE}/deliveries", limit, id=endpoint_id)

    shape = _dead if dead else _line
    show_again(look, watch, json_wanted=as_json, shape=shape)


@webhooks.command("resend")
@endpoint
@click.argument("event_ids", nargs=-1)
@click.option("--dead", is_flag=True, help="All that was given up.")
@click.option("--after", help="A range: behind this cursor …")
@click.option("--until", help="… up to this one.")
@because
def resend(
    endpoint_id: int,
    event_ids: tuple[str, ...],
    dead: bool,
    after: str | None,
    until: str | None,
    reason: str,
) -> None:
    """Send events once more, at once, by their ids or as a range.

    Without --until, --after is an event: those behind it.
    """
    said = {"events": event_ids, "dead": dead, "until": until, "reason": reason}
    tried, behind = _sent_again(endpoint_id, after, said)
    refused = [answer for answer in tried if not answer["taken"]]
    sent = len(tried) - len(refused)
    if refused:
        raise click.ClickException(_refused(sent, refused, behind))
    click.echo(f"{sent} sent.")


def _sent_again(
    endpoint_id: int, after: str | None, said: Json
) -> tuple[list[Json], str | None]:
    """What was tried, in as many parts as it takes. Where nothing of a part is taken
    the rest would not be either: then the place behind which that is."""
    tried: list[Json] = []
    while True:
        part = post(f"{ONE}/resend", id=endpoint_id, after=after, **said)
        answers, after = part["answers"], part["next"]
        tried += answers
        away = answers and not any(answer["taken"] for answer in answers)
        if after is None or away:
            return tried, after


def _refused(sent: int, refused: list[Json], behind: str | None) -> str:
    count, error = len(refused), refused[-1]["error"]
    told = f"{sent} sent, {count} not taken, the last of them: {error}."
    return f"{told} What is behind {behind} was not tried." if behind else told


@webhooks.command("forget")
@endpoint
@click.argument("event_ids", nargs=-1)
@because
def forget(endpoint_id: int, event_ids: tuple[str, ...], reason: str) -> None:
    """Forget dead letters, by their events' ids, or all."""
    found = post(f"{ONE}/forget", id=endpoint_id, events=event_ids, reason=reason)
    click.echo(f"{found['count']} forgotten.")


def _verified(one: Json) -> Json:
    """With what is there only now and then: why it is off, and a new secret."""
    return _row(one) | {
        name: one[name] for name in ("problem", "secret") if one.get(name)
    }


def _row(one: Json) -> Json:
    return {
        **only(one, "id url"),
        "types": " ".join(one["types"]) or "all",
        "state": "on" if one["enabled"] else one["disabled_because"],
        "failing_since": moment(one["failing_since"]),
        **only(one, "cursor description"),
    }


def _line(one: Json) -> Json:
    at, ms = moment(one["at"]), one["milliseconds"]
    return {"at": at, **only(one, "event type status"), "ms": ms, "error": one["error"]}


def _dead(one: Json) -> Json:
    return {"event": one["event"], "at": moment(one["at"]), "error": one["error"]}
