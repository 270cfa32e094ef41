"""The types of events as a chapter of docs/events.md."""

import json
from collections.abc import Iterator, Mapping

from control_plane.events.model import EventType
from control_plane.events.types import KINDS, Kind, schema


def chapter() -> str:
    return "\n".join(line for kind in KINDS for line in _section(kind, KINDS[kind]))


def _section(name: EventType, kind: Kind) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"Version {kind.version}. {kind.meaning}\n"
    if kind.data.__doc__ and kind.data.__struct_fields__:
        yield " ".join(kind.data.__doc__.split()) + "\n"
    yield _block(kind.example)
    yield f"<details><summary>JSON Schema</summary>\n\n{_block(schema(name))}"
    yield "</details>\n"


def _block(value: Mapping[str, object]) -> str:
    return f"```json\n{json.dumps(value, indent=2)}\n```\n"
