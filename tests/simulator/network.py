"""Wires: how long it takes from here to there, and whether it arrives."""

import asyncio
import errno
from collections.abc import Callable
from random import Random

from tests.simulator.loop import RUNNING, Process


class Wire:
    """To one server. ``refused``: nobody listens. ``cut_off``: from these processes
    nothing arrives; None stands for everybody. ``slowed``: how many times as long it
    takes from these."""

    def __init__(
        self, name: str, chance: Random, shortest: float, usual: float
    ) -> None:
        self.name = name
        self._chance = chance
        self._shortest = shortest
        self._usual = usual
        self.refused = False
        self._cut_off: dict[Process | None, None] = {}
        self._mended = asyncio.Event()
        self.slowed: dict[Process | None, float] = {}

    def delay(self) -> float:
        """Mostly about as usual, sometimes much longer."""
        stretch = 30.0 if self._chance.random() < 0.02 else 1.0
        stretch *= self.slowed.get(RUNNING.get(), 1.0)
        return self._shortest + self._chance.expovariate(1 / self._usual) * stretch

    async def travel(self) -> None:
        """Raises ConnectionRefusedError, or does not end while it is cut off."""
        if self.refused:
            await asyncio.sleep(self._shortest)
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"{self.name} refuses")
        while self._is_cut_off():
            await self._mended.wait()
        await asyncio.sleep(self.delay())
        if self.refused:
            raise ConnectionResetError(errno.ECONNRESET, f"{self.name} is gone")

    def cut_off(self, process: Process | None) -> Callable[[], None]:
        """Returns what mends it."""
        self._cut_off[process] = None

        def mend() -> None:
            self._cut_off.pop(process, None)
            self._mended.set()
            self._mended = asyncio.Event()

        return mend

    def _is_cut_off(self) -> bool:
        return None in self._cut_off or RUNNING.get() in self._cut_off
