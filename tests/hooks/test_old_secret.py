"""A secret is replaced while everybody goes on: what the old one made still counts,
until it is taken away."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from control_plane.base.secrets import Secrets
from tests.hooks.conftest import Json, Service, publish, read
from tests.support.api import settings
from tests.support.service import serve

OLD, NEW = "the old secret of many characters", "the new secret of many characters"


@dataclass(frozen=True)
class Given:
    """What one secret made."""

    secret: str
    user_token: str
    viewer_token: str
    path: str
    key: str


@contextlib.asynccontextmanager
async def _running(
    database_url: str, redis_url: str, secret: str, old: str = ""
) -> AsyncIterator[Service]:
    wanted = settings(
        database_url, redis_url, secret=secret, old_secret=old, playback="token"
    )
    async with serve(wanted) as ports, aiohttp.ClientSession() as http:
        yield Service(http, ports, node_secret=Secrets(secret).node("local"))


async def _given(service: Service, secret: str) -> Given:
    live, token = await service.go_live()
    watch = (await service.ask("watch", {"id": live["id"]}))["Watch"]
    return Given(secret, token, watch["token"], live["path"], live["key"])


async def _counts(service: Service, given: Given) -> list[str]:
    """What of it does, each in a word."""
    node, api = Secrets(given.secret).node("local"), Secrets(given.secret).node_api
    asked = publish("", "", action="api", user="control-plane", protocol="", id=None)
    viewer = read(given.path, query=f"token={given.viewer_token}")
    found = {
        "key": await service.auth(publish(given.path, given.key)) == 200,
        "viewer": await service.auth(viewer) == 200,
        "node's api": await service.auth(asked | {"password": api("local")}) == 200,
        "node": await service.auth(viewer, secret=node) == 200,
        "hook": await service.hook("ready", given.path, "s1", secret=node) == 204,
        "user": await _signed_in(service, given.user_token),
    }
    return [name for name, counts in found.items() if counts]


async def _signed_in(service: Service, token: str) -> bool:
    answer: Json = await service.call("showStreamKeys", {}, token)
    return bool(answer["code"] != 501)


EVERYTHING = ["key", "viewer", "node's api", "node", "hook", "user"]


@pytest.fixture
async def old(database_url: str, redis_url: str) -> Given:
    async with _running(database_url, redis_url, OLD) as service:
        given = await _given(service, OLD)
        assert await service.lets_in(publish(given.path, given.key))
        assert await _counts(service, given) == EVERYTHING
    return given


async def test_an_old_secret_beside_the_new_one(
    database_url: str, redis_url: str, old: Given
) -> None:
    async with _running(database_url, redis_url, NEW, OLD) as service:
        assert await service.lets_in(publish(old.path, old.key))
        new = await _given(service, NEW)
        assert await service.lets_in(publish(new.path, new.key))
        assert await _counts(service, new) == EVERYTHING
    # What is made now is made with the new one alone.
    async with _running(database_url, redis_url, NEW) as service:
        assert await service.lets_in(publish(new.path, new.key))
        assert await _counts(service, new) == EVERYTHING


async def test_an_old_secret_that_was_taken_away(
    database_url: str, redis_url: str, old: Given
) -> None:
    async with _running(database_url, redis_url, NEW) as service:
        assert await _counts(service, old) == []
