"""A token for the operators' API, another one with each start."""

from datetime import timedelta

from control_plane.audit.log import acting
from control_plane.audit.model import Actor
from control_plane.base.database import open_pool
from control_plane.operators.model import SCOPES
from control_plane.operators.service import Tokens

NAME = "make-run"
COUNTS = timedelta(days=30)


async def operator_token(database_url: str) -> str:
    """For everything. The one of the start before counts no more."""
    async with open_pool(database_url, 1) as pool:
        with acting(Actor("command", NAME)):
            return await Tokens(pool).create(NAME, SCOPES, COUNTS, replace=True)
