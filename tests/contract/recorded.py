"""What real servers said, by version: the referee of both kinds of node."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@functools.cache
def recorded(version: str) -> Mapping[str, Json]:
    """``auth``: bodies; ``hooks``: environments; ``api`` and ``hls``: answers."""
    file = Path(__file__).parent / "recordings" / f"{version}.json"
    found: Mapping[str, Json] = json.loads(file.read_text())
    return found
