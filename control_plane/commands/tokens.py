"""``control-plane token``: who may ask the operators' listener."""

from datetime import timedelta

import click

from control_plane.commands.asking import Json, get, post, rows, server
from control_plane.commands.output import (
    Number,
    as_json,
    because,
    moment,
    show,
    show_one,
)
from control_plane.operators.model import LONGEST, SCOPES, Scope

ALL = 10_000  # tokens
NOBODY_ASKS = "Beside the database nobody needs a token: this asks a --server."
TIMES = ("created_at", "last_used_at", "expires_at", "revoked_at")


@click.group()
def token() -> None:
    """Operators' tokens."""


@token.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    default=["read"],
    show_default=True,
    help="What it is for; again for more.",
)
@click.option(
    "--days",
    type=Number(min=0, max=LONGEST.days),
    default=90.0,
    show_default=True,
    help="It counts for so long.",
)
def create(name: str, scopes: tuple[Scope, ...], days: float) -> None:
    """Print a new token. It is shown this once.

    Only beside the database: an operator who could make tokens would be several, and
    could decide alone what two have to.
    """
    from control_plane.commands.beside import run

    valid_for = timedelta(days=days)
    click.echo(run(lambda s: s.operator_tokens.create(name, scopes, valid_for)))


@token.command("list")
@as_json
def list_tokens(as_json: bool) -> None:
    """List tokens, without themselves."""
    show(rows("/v1/tokens", ALL), json_wanted=as_json, shape=_row)


@token.command("show")
@as_json
def show_token(as_json: bool) -> None:
    """Whose token this is, in --token-file, and what it opens."""
    if not server():
        raise click.ClickException(NOBODY_ASKS)
    show_one(get("/v1/me"), json_wanted=as_json, shape=_mine)


@token.command("revoke")
@click.argument("name")
@because
def revoke(name: str, reason: str) -> None:
    """It counts no more, from now on."""
    post("/v1/tokens/{name}/revoke", name=name, reason=reason)
    click.echo(f"{name} is revoked.")


def _mine(one: Json) -> Json:
    scopes, end = " ".join(one["scopes"]), moment(one["expires_at"])
    return {"name": one["name"], "scopes": scopes, "expires_at": end}


def _row(one: Json) -> Json:
    return {
        "name": one["name"],
        "scopes": " ".join(one["scopes"]),
        **{name: moment(one[name]) for name in TIMES},
    }
