"""Who may not watch any more, told by several at once."""

import asyncio

import pytest

from control_plane.base.database import Connection, Pool
from control_plane.events.log import append_session_event
from control_plane.live.service.rights import Whom
from control_plane.live.store import rights
from control_plane.wiring.services import Services
from tests.live.service.conftest import new_user
from tests.support.locks import held_up


@pytest.mark.parametrize("of_host", [True, False], ids=["denied", "taken back"])
async def test_two_at_once_wait_for_one_another(
    opened: Services, pool: Pool, session_id: int, of_host: bool
) -> None:
    """As a round that takes something from several: an event, and then the next."""
    bob = Whom((await new_user(pool, "bob")).id)
    async with pool.transaction() as round_of_rights:
        await _say_something(round_of_rights, session_id)
        telling = asyncio.create_task(
            opened.rights.deny(0, session_id, bob)
            if of_host
            else opened.rights.end(session_id, bob, "no_ticket")
        )
        await held_up(pool, telling)
        await rights.take_back(round_of_rights, session_id, bob.user_id, None)
    await telling


async def _say_something(connection: Connection, session_id: int) -> None:
    data = {"user_id": 1, "viewer": "", "reason": "no_ticket"}
    await append_session_event(connection, session_id, "viewer.denied", data)
