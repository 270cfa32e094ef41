"""Reading leader boards, which anybody may ask for as often as they like."""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta

from control_plane.base.brief import Brief
from control_plane.base.database import Connection, Pool
from control_plane.coins.model.leaders import Board, Leader, Period
from control_plane.coins.store import leaders
from control_plane.people.store import users

PAGE = 10  # users
MOST = 100  # users of a board
SPARE = 100  # read besides, as some of them may be banned or gone
MOST_BOARDS = 1000  # remembered
BUSY = 0.01  # the part of the time that one board, asked for always, is being read

EVER = timedelta(days=36_500)
PERIODS: Mapping[Period, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}


class LeaderBoards:
    def __init__(self, pool: Pool, *, seconds: float = 2.0) -> None:
        """``seconds``: how old an answer may be, where it is read quickly."""
        self._pool = pool
        self._seconds = seconds
        self._known: Brief[Board, list[Leader]] = Brief(MOST_BOARDS)
        self._turn = asyncio.Lock()

    async def page(self, board: Board, page: int) -> list[Leader]:
        """Most first; nobody comes after the hundredth."""
        found = self._known.get(board)
        if found is None:
            found = await self._in_turn(board)
        return found[page * PAGE : (page + 1) * PAGE]

    async def _in_turn(self, board: Board) -> list[Leader]:
        """However many ask, for whatever: they take one connection."""
        async with self._turn:
            found = self._known.get(board)
            if found is None:
                began = time.monotonic()
                async with self._pool.acquire() as connection:
                    found = await _read(connection, board)
                took = time.monotonic() - began
                self._known.put(board, found, max(self._seconds, took / BUSY))
        return found


async def _read(connection: Connection, board: Board) -> list[Leader]:
    found = await _leaders(connection, board)
    here = await users.names_of_present(connection, [one.user_id for one in found])
    return [leader for leader in found if leader.user_id in here][:MOST]


async def _leaders(connection: Connection, board: Board) -> list[Leader]:
    sent, limit = board.side == "sent", MOST + SPARE
    within = EVER if board.period is None else PERIODS[board.period]
    if board.session_id:
        return await leaders.of_session(
            connection, board.session_id, sent=sent, within=within, limit=limit
        )
    if within <= PERIODS["day"]:
        return await leaders.of_hours(connection, sent=sent, within=within, limit=limit)
    return await leaders.of_days(connection, sent=sent, within=within, limit=limit)
