"""``control-plane remote``: reads ``/v1`` of a server elsewhere, with a token."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import click

from control_plane.commands.output import as_json, show, show_one

WITHIN = aiohttp.ClientTimeout(total=30)  # seconds
AGAIN = 2.0  # seconds

Json = dict[str, Any]


@click.command()
@click.argument("what")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]…")
@click.option("--server", required=True, help="Its operators' listener: https://…")
@click.option(
    "--token-file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Holds an operator's token.",
)
@click.option(
    "--watch", type=float, is_flag=False, flag_value=AGAIN, help="Again and again."
)
@as_json
def remote(
    what: str,
    parameters: tuple[str, ...],
    server: str,
    token_file: Path,
    watch: float | None,
    as_json: bool,
) -> None:
    """Read WHAT from another server: sessions, sessions/12, nodes, users q=ann …

    What there is, its /v1/openapi.json tells: everything that is a GET.
    """
    url = f"{server.rstrip('/')}/v1/{what}"
    query = dict(_pair(one) for one in parameters)
    token = token_file.read_text("utf-8").strip()
    while True:
        found = asyncio.run(_get(url, query, token))
        if watch is not None and not as_json:
            click.clear()
        _print(found, as_json)
        if watch is None:
            return
        time.sleep(watch)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.ClickException(f"{text} is not NAME=VALUE.")
    return name, value


async def _get(url: str, query: Mapping[str, str], token: str) -> Json:
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=WITHIN, headers=headers) as http,
            # Nobody else is told the token.
            http.get(url, params=query, allow_redirects=False) as response,
        ):
            found: Json = await response.json(content_type=None)
            status = response.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise click.ClickException(f"{url} does not answer: {error}") from None
    if status != 200:
        raise click.ClickException(str(found.get("detail", f"It answered {status}.")))
    return found


def _print(found: Json, json_wanted: bool) -> None:
    """What it says of one thing, then a table of each list; what is nested deeper is
    for programs."""
    if json_wanted:
        show_one(found, json_wanted=True)
        return
    following = found.pop("next", None)
    parts = [found, *(value for value in found.values() if isinstance(value, dict))]
    one = {name: v for part in parts for name, v in _plain(part).items()}
    if one:
        show_one(one, json_wanted=False)
    for name, rows in found.items():
        if _is_table(rows):
            if one:
                click.echo(f"\n{name}")
            show([_plain(row) for row in rows], json_wanted=False)
    if following:
        click.echo(f"More: after={following}")


def _plain(row: Json) -> Json:
    return {n: v for n, v in row.items() if not (isinstance(v, dict) or _is_table(v))}


def _is_table(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)
