"""A server that was asked over HTTP and did not answer as we do: why, in a sentence."""

import aiohttp
import click

from control_plane.base.texts import visible


def unanswered(server: str, error: Exception) -> click.ClickException:
    why = visible(_why(error)) or "it takes too long"
    return click.ClickException(f"{server} does not answer as a control plane: {why}")


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return "it is no address that begins with http:// or https://"
    return str(error)
