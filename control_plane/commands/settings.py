"""``control-plane settings``: those in force."""

import click

from control_plane.commands.asking import Json, get
from control_plane.commands.output import as_json, only, show


@click.command()
@as_json
def settings(as_json: bool) -> None:
    """List the settings in force at a server, of secrets whether they are set.

    Beside the database they are those of this environment.
    """
    show(get("/v1/settings")["settings"], json_wanted=as_json, shape=_row)


def _row(one: Json) -> Json:
    return only(one, "name value")
