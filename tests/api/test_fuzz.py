"""Thousands of requests of every kind: no HTTP error, no accident, no other envelope,
no type that an app cannot decode. FUZZ_REQUESTS sets how many, FUZZ_SEED which."""

import asyncio
import os
from collections import Counter

import pytest

from tests.api.fuzz import Fuzzer
from tests.api.town import Post, Town
from tests.support.api import App

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "3000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
WORKERS = 8
USERS = 3  # of each worker


@pytest.mark.timeout(300 + REQUESTS // 10)
async def test_nothing_that_is_sent_makes_another_envelope(
    app: App, town: Town, post: Post
) -> None:
    for number in range(12):
        await post(town.eve, f"v{number}")
    codes: Counter[int] = Counter()

    await asyncio.gather(*(_shoot(app, worker, codes) for worker in range(WORKERS)))

    assert codes.total() == REQUESTS // WORKERS * WORKERS
    # Enough of them get past the first checks to mean something.
    assert codes[200] > REQUESTS / 20
    assert codes[201] > REQUESTS / 20
    assert codes[400] > REQUESTS / 20


async def _shoot(app: App, worker: int, codes: "Counter[int]") -> None:
    fuzzer = Fuzzer(SEED * 1000 + worker)
    tokens = await _tokens(app, worker)
    for _ in range(REQUESTS // WORKERS):
        shot = fuzzer.shot(tokens)
        try:
            answer = await app.raw(shot.path, shot.data, shot.headers)
        except AssertionError as error:
            raise AssertionError(f"{shot}: {error}") from None
        codes[answer["code"]] += 1
        if answer["code"] == 501:  # it deleted an account: on with a new one
            tokens = await _tokens(app, worker)


async def _tokens(app: App, worker: int) -> list[str]:
    users = [{"auth_token": f"uid-{worker}-{number}"} for number in range(USERS)]
    made = [await app.ask("registerUser", user) for user in users]
    return [msg["User"]["auth_token"] for msg in made]
