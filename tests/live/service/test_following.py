"""What many follow is looked at together, whoever comes meanwhile."""

import asyncio
from collections.abc import Mapping

import pytest

from control_plane.live.service import following
from control_plane.live.service.following import Following

WITHIN = 60.0  # seconds


async def test_who_follows_is_told_while_others_keep_coming(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "REFRESH", 0.05)
    looks = 0
    others: list[asyncio.Task[int | None]] = []

    async def look(names: list[str]) -> Mapping[str, int]:
        """While it is under way somebody comes."""
        nonlocal looks
        looks += 1
        others.append(asyncio.create_task(anext(followed.follow(f"other-{looks}"))))
        await asyncio.sleep(0.01)
        return dict.fromkeys(names, looks)

    followed: Following[int] = Following("test", look)
    async with followed.running(), asyncio.timeout(WITHIN):
        states = followed.follow("one")
        assert await anext(states) == 1
        assert await anext(states)
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
