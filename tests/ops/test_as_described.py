"""Made requests, of which the description of ``/v1`` says what comes back."""

import asyncio
from collections.abc import Iterator

import pytest
from schemathesis import GenerationMode

from control_plane.base.database import Pool
from control_plane.operators.model import SCOPES
from tests.ops.made import Made, Operation, operations, try_out
from tests.support.api import App
from tests.support.operators import Json, ask, token

EVENTS = "text/event-stream"  # never ends


async def test_what_is_answered_is_described(
    app: App, pool: Pool, pytestconfig: pytest.Config
) -> None:
    _, told = await ask(app, "GET", "/v1/openapi.json")
    tokens = {scope: await token(pool, scope) for scope in SCOPES}
    await _something_is_there(app)
    few: int = pytestconfig.getoption("examples")
    found = list(_that_end(told))
    for one in found:
        bearer = tokens.get(one.definition.raw.get("x-scope"), tokens["read"])
        headers = {"Authorization": f"Bearer {bearer}"}
        for mode in _modes(one):
            await asyncio.to_thread(
                try_out, one, mode, app.operators, headers, few, _meant
            )
    assert len(found) > 40


async def _something_is_there(app: App) -> None:
    for name in ("ann", "bob"):
        host = await app.sign_in(name)
        await host.ask("streamKeys", {"name": "OBS", "channel_name": name})
        await host.ask("liveStream", {"title": "Hello"})
        await host.ask("purchaseCoin", {"coin": 100, "transaction_id": name})


def _that_end(told: Json) -> Iterator[Operation]:
    for operation in operations(told):
        answers = operation.definition.raw["responses"].get("200", {})
        if EVENTS not in answers.get("content", {}):
            yield operation


def _modes(operation: Operation) -> Iterator[GenerationMode]:
    """Where nothing can be said, nothing wrong can be."""
    yield GenerationMode.POSITIVE
    raw = operation.definition.raw
    if raw["parameters"] or "requestBody" in raw:
        yield GenerationMode.NEGATIVE


def _meant(case: Made) -> None:
    """Of something that is there, every other time, and of nobody else's server."""
    number, body = case.path_parameters.get("id"), case.body
    if isinstance(number, int) and number % 2:
        case.path_parameters["id"] = 1 + number % 3
    if isinstance(body, dict) and "url" in body:
        body["url"] = "http://127.0.0.1:9/"
