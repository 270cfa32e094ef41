"""Writing into the log, and reading all of it."""

from control_plane.base.database import Connection, Pool
from control_plane.events import store
from control_plane.events.log import append_user_event
from control_plane.events.model import BEGINNING, Event

BONUS = {"coin": 1, "reason": "a test"}


async def new_user(pool: Pool) -> int:
    return int(await pool.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id"))


async def bonus(pool: Pool, user_id: int, coin: int = 1) -> None:
    async with pool.transaction() as connection:
        await bonus_in(connection, user_id, coin)


async def bonus_in(connection: Connection, user_id: int, coin: int = 1) -> None:
    await append_user_event(connection, user_id, "coins.bonus", {**BONUS, "coin": coin})


async def whole_log(pool: Pool) -> list[Event]:
    """Page by page, as a reader would; whatever runs elsewhere on this server holds
    the end back."""
    found: list[Event] = []
    while page := await store.after(
        pool, found[-1].position if found else BEGINNING, 7
    ):
        found += page
    return found
