"""A migrated database fits what the stores ask of it."""

import ast
import contextlib
import importlib
import pkgutil
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import asyncpg
import pytest

import control_plane

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

ASKING = {"fetch", "fetchrow", "fetchval", "execute"}
#: A dictionary of checks that always run together; conditions for others; and Redis.
ASKED_ELSEWHERE = {
    "control_plane.coins.store.audit",
    "control_plane.people.store.relations",
    "control_plane.live.store.viewers",
    "control_plane.live.store.beats",
    "control_plane.live.store.places",
    "control_plane.live.store.ingest",
    "control_plane.live.store.previews",
    "control_plane.live.store.unlisted",
}
SMALL_STORES = {
    f"control_plane.{name}.store" for name in ("audit", "events", "operators")
}
#: Only the ledger's own numbers may pass what an app can hold: no app sees them.
LONG_IDS = {"transfer_id", "hold_transfer_id", "decision_transfer_id"} | {
    "refund_transfer_id",
    "used_transfer_id",
    "ledger_transfers.id",
    "events.id",
    "event_id",
    "webhook_attempts.id",
}


def modules_with_queries() -> list[str]:
    found = pkgutil.walk_packages(control_plane.__path__, "control_plane.")
    stores = {one.name for one in found if ".store." in one.name}
    return sorted((stores | SMALL_STORES) - ASKED_ELSEWHERE)


def functions(module: ModuleType) -> Iterator[ast.AsyncFunctionDef]:
    for node in _tree(module).body:
        if isinstance(node, ast.AsyncFunctionDef):
            yield node


def queries(function: ast.AsyncFunctionDef, module: ModuleType) -> Iterator[str]:
    """With its own and the module's parts of SQL filled in."""
    known = dict(vars(module)) | _given(function, module)
    known |= _local(function, known)
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Attribute(attr=attr), args=[sql, *_]):
                if attr in ASKING:
                    yield str(_value(sql, known))


def _tree(module: ModuleType) -> ast.Module:
    assert module.__file__ is not None
    return ast.parse(Path(module.__file__).read_text("utf-8"))


def _value(expression: ast.expr, known: dict[str, object]) -> object:
    code = compile(ast.Expression(expression), "a store", "eval")
    return eval(code, known)  # noqa: S307  (our own stores)


def _given(function: ast.AsyncFunctionDef, module: ModuleType) -> dict[str, object]:
    """Parts of SQL that the module's own functions hand in; of several, one."""
    names = [one.arg for one in function.args.args]
    found: dict[str, object] = {}
    for node in ast.walk(_tree(module)):
        match node:
            case ast.Call(func=ast.Name(function.name), args=args, keywords=keywords):
                given = {one.arg: one.value for one in keywords if one.arg}
                for name, value in (
                    dict(zip(names, args, strict=False)) | given
                ).items():
                    with contextlib.suppress(NameError):
                        found[name] = _value(value, dict(vars(module)))
    return found


def _local(
    function: ast.AsyncFunctionDef, known: dict[str, object]
) -> dict[str, object]:
    """``name = …`` where that can be worked out; of several, one."""
    found: dict[str, object] = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign([ast.Name(name)], value):
                with contextlib.suppress(Exception):
                    found[name] = _value(value, known | found)
    return found


def columns_read(function: ast.AST) -> set[str]:
    """The names in ``row["name"]``."""
    slices = [n.slice for n in ast.walk(function) if isinstance(n, ast.Subscript)]
    names = [one.value for one in slices if isinstance(one, ast.Constant)]
    return {name for name in names if isinstance(name, str)}


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.mark.parametrize("name", modules_with_queries())
async def test_every_query_fits(name: str, connection: Connection) -> None:
    module = importlib.import_module(name)
    asked = 0
    for function in functions(module):
        given: set[str] = set()
        for query in queries(function, module):
            prepared = await connection.prepare(query)
            given |= {one.name for one in prepared.get_attributes()}
            asked += 1
        assert columns_read(function) <= given
    assert asked > 0


async def test_who_can_be_deleted_is_found_by_index(connection: Connection) -> None:
    """A row that goes is looked for in every table that refers to its own."""
    rows = await connection.fetch(
        """
        SELECT c.conrelid::regclass::text || '.' || a.attname AS place,
            c.confrelid::regclass::text AS referred
        FROM pg_constraint c JOIN pg_attribute a
            ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND NOT EXISTS (SELECT FROM pg_index i
            WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])
        """
    )
    modules = [importlib.import_module(name) for name in modules_with_queries()]
    said = [q for m in modules for f in functions(m) for q in queries(f, m)]
    deleted = set(re.findall(r"DELETE FROM (\w+)", " ".join(said)))
    assert deleted > {"nodes", "follows"}
    assert [row["place"] for row in rows if row["referred"] in deleted] == []


async def test_ids_fit_into_what_apps_hold(connection: Connection) -> None:
    """1 to 2147483647: both apps decode them as 32-bit numbers."""
    rows = await connection.fetch(
        """
        SELECT table_name || '.id' AS key, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type IN ('bigint', 'numeric')
            AND (column_name = 'id' OR column_name LIKE '%\\_id')
            AND table_name NOT LIKE 'events\\_%'
        """
    )
    long = {r["key"] if r["column_name"] == "id" else r["column_name"] for r in rows}
    assert long == LONG_IDS
