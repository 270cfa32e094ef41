"""``control-plane token``: who may ask the operators' listener."""

from collections.abc import Mapping
from datetime import timedelta

import click

from control_plane.commands.output import as_json, run, show
from control_plane.operators.model import SCOPES, OperatorToken, Scope
from control_plane.wiring.services import Services


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
@click.option("--days", default=90.0, show_default=True, help="It counts for so long.")
def create(name: str, scopes: tuple[Scope, ...], days: float) -> None:
    """Print a new token. It is shown this once."""
    valid_for = timedelta(days=days)

    async def work(services: Services) -> str:
        return await services.operator_tokens.create(name, scopes, valid_for)

    click.echo(run(work))


@token.command("list")
@as_json
def list_tokens(as_json: bool) -> None:
    """List tokens, without themselves."""

    async def work(services: Services) -> list[OperatorToken]:
        return await services.operator_tokens.listing()

    show([_row(one) for one in run(work)], json_wanted=as_json)


@token.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """It counts no more, from now on."""
    run(lambda services: services.operator_tokens.revoke(name))
    click.echo(f"{name} is revoked.")


def _row(one: OperatorToken) -> Mapping[str, object]:
    return {
        "name": one.name,
        "scopes": " ".join(one.scopes),
        "created_at": one.created_at,
        "last_used_at": one.last_used_at,
        "expires_at": one.expires_at,
        "revoked_at": one.revoked_at,
    }
