"""What the apps can decode, as JSON Schema."""

from collections.abc import Mapping
from functools import reduce
from types import ModuleType
from typing import Any

from control_plane.api.app_shapes import android, ios, live
from control_plane.api.app_shapes.kinds import (
    Answer,
    Either,
    Int,
    Kind,
    ListOf,
    Number,
    NumberLike,
    Obj,
    Scalar,
    Text,
)

Json = dict[str, Any]

APPS: Mapping[str, ModuleType] = {"Android": android, "Ios": ios, "Live": live}


class Schemas:
    """Objects that have a name in their module have one here, and are told once."""

    def __init__(self) -> None:
        self.components: Json = {}
        self._names = {
            id(kind): f"{app}{name.title().replace('_', '')}"
            for app, module in APPS.items()
            for name, kind in vars(module).items()
            if isinstance(kind, Obj)
        }

    def of(self, kind: Kind) -> Json:
        name = self._names.get(id(kind))
        if name is None or not isinstance(kind, Obj):
            return self._plain(kind)
        if name not in self.components:
            self.components[name] = {}  # whoever comes to it again meanwhile
            self.components[name] = self._object(kind)
        return {"$ref": f"#/components/schemas/{name}"}

    def answer(self, wanted: Answer, *, good: bool) -> Json:
        """The whole envelope, as one app reads it."""
        code: Json = {"const": 200} if good else {"not": {"const": 200}}
        msg = self.of(wanted.good if good else wanted.bad)
        beside = {name: self.of(kind) for name, kind in wanted.beside.items()}
        return {
            "type": "object",
            "properties": {"code": code, "msg": msg, **beside},
            "required": ["code", "msg", *beside],
        }

    def _plain(self, kind: Kind) -> Json:
        match kind:
            case Obj():
                return self._object(kind)
            case ListOf(of, filled):
                found: Json = {"type": "array", "items": self.of(of)}
                return found | ({"minItems": 1} if filled else {})
            case Either():
                return {"anyOf": [self.of(kind.first), self.of(kind.second)]}
            case _:
                return _value(kind)

    def _object(self, kind: Obj) -> Json:
        may = {name: self.of(inner) for name, inner in kind.may.items()}
        if kind.null:
            may = {name: _or_null(inner) for name, inner in may.items()}
        must = {name: self.of(inner) for name, inner in kind.must.items()}
        return {"type": "object", "properties": may | must, "required": list(must)}


def readers(name: str) -> list[Answer]:
    """What each app makes of this endpoint."""
    tables = (module.ANSWERS for module in APPS.values())
    lower = [{known.lower(): one for known, one in each.items()} for each in tables]
    return [each[name.lower()] for each in lower if name.lower() in each]


def spelled() -> dict[str, str]:
    """The names of endpoints as the apps write them, by those that we compare."""
    names: set[str] = reduce(set.union, (set(m.ANSWERS) for m in APPS.values()), set())
    return {name.lower(): name for name in names}


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _value(kind: Kind) -> Json:
    match kind:
        case Int(lowest, highest):
            return {"type": "integer", "minimum": lowest, "maximum": highest}
        case Number():
            return {"type": "number"}
        case Text(words, filled):
            found: Json = {"type": "string"} | ({"minLength": 1} if filled else {})
            return found | ({"enum": list(words)} if words else {})
        case NumberLike():
            return {"type": ["number", "string"]}
        case Scalar():
            return {"type": ["string", "number", "boolean"]}
        case _:
            return {}
