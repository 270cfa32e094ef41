"""What ``/v1/apps.json`` says of bodies is what the endpoints of ``/api`` read."""

import ast
import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from schemathesis import GenerationMode

import control_plane.api
from control_plane.api.bodies import ANYTHING, BODIES
from control_plane.web.parsing import MOST_NESTED
from tests.ops.made import Made, operations, try_out
from tests.support.api import Account, App
from tests.support.operators import Json, ask

AT_ONCE = MOST_NESTED - 2  # with the lists of _least
CODE = Path(control_plane.api.__file__).parent
#: Refusals of what could be read.
RULES = (
    "1 to 999 of a gift",
    "not for both",
    "need no ticket",
    "no such reason",
    "must be in the future",
)
SAMPLES: Json = {
    "social": "google",
    "policy": "public",
    "users": [],
    "watch_videos": [],
    "coin": 1,
}


@pytest.fixture
async def ann(app: App) -> Account:
    """Her key and her broadcast are 1."""
    found = await app.sign_in("ann")
    assert (await found.ask("streamKeys"))["StreamKey"]["id"] == 1
    assert (await found.ask("liveStream"))["LiveStreaming"]["id"] == "1"
    return found


async def test_each_field_is_read_as_it_is_described(ann: Account) -> None:
    tried = 0
    for name, schema in BODIES.items():
        for field, kind in schema["properties"].items():
            for wrong in _wrong(kind):
                body = _least(schema, field) | {field: wrong}
                answer = await ann.call(name, body)
                assert _is_refused(answer, field), (name, body, answer)
                tried += 1
    assert tried > 300


def _is_refused(answer: Json, field: str) -> bool:
    said = str(answer)
    return (answer["code"] == 400 and field in said) or _follows_a_rule(said)


def _follows_a_rule(said: str) -> bool:
    return any(rule in said for rule in RULES)


async def test_nothing_else_is_read(app: App) -> None:
    """Of all words in the code that could name a field."""
    known = {name for schema in BODIES.values() for name in schema["properties"]}
    words = sorted(known | _words())
    assert len(words) > 300
    for number, (name, schema) in enumerate(BODIES.items()):
        somebody = await app.sign_in(f"user{number}")
        others = [word for word in words if word not in schema["properties"]]
        for at in range(0, len(others), AT_ONCE):
            sent: Json = {word: [] for word in others[at : at + AT_ONCE]}
            answer = await somebody.call(name, sent | _least(schema))
            # 501: that deleted the account before.
            assert answer["code"] in (200, 201, 501), (name, answer)


async def test_what_is_described_can_be_read(
    app: App, pytestconfig: pytest.Config
) -> None:
    """As JSON and as either kind of form."""
    _, told = await ask(app, "GET", "/v1/apps.json")
    few: int = pytestconfig.getoption("examples")
    found = list(operations(told))
    for number, one in enumerate(found):
        somebody = await app.sign_in(f"user{number}")
        headers = {"Auth-Token": somebody.token}
        mode = GenerationMode.POSITIVE
        answers = await asyncio.to_thread(
            try_out, one, mode, app.base, headers, few, _meant
        )
        bad = [one for one in answers if one.json()["code"] == 400]
        lines = [(one.request.body, one.text) for one in bad]
        assert not [line for line in lines if not _follows_a_rule(line[1])]
    assert {one.path.removeprefix("/api/") for one in found} == set(BODIES)


def _meant(case: Made) -> None:
    """Without what is not read, nor what the description says in words."""
    if not isinstance(case.body, dict):
        return
    known = BODIES[case.operation.path.removeprefix("/api/")]["properties"]
    body = _read({"properties": known}, case.body)
    if "ticket_price" in body or body.get("policy") == "paid":
        body |= {"policy": "paid", "ticket_price": 1}
    if "all" in body:
        body = {"id": body["id"], "all": 1}
    case.body = body


def _read(kind: Json, made: Any) -> Any:
    """Without what is not."""
    if "items" in kind:
        return [_read(kind["items"], one) for one in made]
    if "properties" not in kind:
        return made
    known = kind["properties"]
    return {name: _read(known[name], made[name]) for name in known if name in made}


def _wrong(kind: Json) -> Iterator[Any]:
    if kind == ANYTHING:
        return
    if kind.get("type") == "array":
        yield from ({}, [7], [{}] * (kind["maxItems"] + 1))
        return
    yield []
    if "maxLength" in kind:
        yield "x" * (kind["maxLength"] + 1)
        yield "a\u0007"
    if kind.get("type") == "string" and "enum" in kind:
        yield "nonsense"
    if "anyOf" in kind:
        whole = kind["anyOf"][0]
        yield from ("x", 1.5, whole["minimum"] - 1, whole["maximum"] + 1)


def _least(schema: Json, but: str = "") -> Json:
    """What has to be there for a field to be read, without the field."""
    names = list(schema["required"])
    either = [name for one in schema.get("anyOf", ()) for name in one["required"]]
    names += either[:1] if but not in either else [but]
    for name in (*names, but):
        names += schema.get("dependentRequired", {}).get(name, ())
    return {name: SAMPLES.get(name, "1") for name in names if name != but}


def _words() -> set[str]:
    found = (node for file in CODE.glob("*.py") for node in ast.walk(_tree(file)))
    texts = (node.value for node in found if isinstance(node, ast.Constant))
    return {one for one in texts if isinstance(one, str) and one.isidentifier()}


def _tree(file: Path) -> ast.AST:
    return ast.parse(file.read_text("utf-8"))
