"""``control-plane users``: what operators do about accounts."""

import click

from control_plane.commands.output import as_json, run, show_one


@click.group()
def users() -> None:
    """The accounts of the app."""


@users.command("sign-out")
@click.argument("user_id", type=int)
@as_json
def sign_out(user_id: int, as_json: bool) -> None:
    """Sign a user out on every device."""
    run(lambda services: services.accounts.sign_out_everywhere(user_id))
    if as_json:
        show_one({"signed_out": True}, json_wanted=True)
    else:
        click.echo("Signed out everywhere.")
