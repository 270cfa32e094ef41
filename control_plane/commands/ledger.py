"""``control-plane ledger``: is it right, what has somebody, and gifts of our own."""

import click

from control_plane.commands.asking import get, post
from control_plane.commands.output import as_json, show, show_one


@click.group()
def ledger() -> None:
    """Coins: every rule that must hold, and what users have."""


@ledger.command("check")
@as_json
def check(as_json: bool) -> None:
    """Read the whole ledger again; fails when any rule is broken."""
    found = get("/v1/ledger/check")
    if as_json:
        show_one(found, json_wanted=True)
    else:
        show(found["checks"], json_wanted=False)
    if found["faults"]:
        raise SystemExit(1)


@ledger.command("show")
@click.argument("user_id", type=int)
@as_json
def show_user(user_id: int, as_json: bool) -> None:
    """What one user has, account by account."""
    show_one(get("/v1/users/{id}/coins", id=user_id), json_wanted=as_json)


@ledger.command("bonus")
@click.argument("user_id", type=int)
@click.argument("coins", type=click.IntRange(min=1))
@click.option("--reason", default="", help="Kept with the event.")
@click.option("--key", default="", help="The same key again gives nothing more.")
@as_json
def bonus(user_id: int, coins: int, reason: str, key: str, as_json: bool) -> None:
    """Give coins of ours, which are spent before those that were bought."""
    path = "/v1/users/{id}/bonus"
    found = post(path, id=user_id, coins=coins, reason=reason, once=key)
    if as_json:
        show_one(found, json_wanted=True)
    else:
        click.echo(f"The user has {found['wallet']} coins now.")
