"""aiohttp and its parts in C. Without them everything works, at half the speed, and
nobody notices; uvloop, httptools and msgspec have no other form."""

import frozenlist
import multidict
from aiohttp import http_parser, http_writer


def missing() -> list[str]:
    """What runs as plain Python here."""
    plain = {
        "aiohttp": http_parser.HttpRequestParser is http_parser.HttpRequestParserPy
        or http_writer._serialize_headers is http_writer._py_serialize_headers,
        "multidict": multidict.MultiDict.__module__ == "multidict._multidict_py",
        "frozenlist": frozenlist.FrozenList is frozenlist.PyFrozenList,
    }
    return [name for name, is_plain in plain.items() if is_plain]
