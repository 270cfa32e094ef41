"""Reading what the apps send: JSON, JSON called text/plain, forms, or nothing.

Numbers arrive as numbers or as strings for the same field, so every getter takes
both; an absent field, null and "" are all the same to them.
"""

import contextlib
from collections.abc import Mapping
from datetime import datetime

from aiohttp import web

from control_plane.base.refusals import BadInput, Empty
from control_plane.base.streams import whole
from control_plane.base.texts import has_control
from control_plane.web import parsing
from control_plane.web.multipart import of_parts

LARGEST = 256_000  # bytes; nothing is uploaded here
LARGEST_ID = 2_147_483_647
LAST_PAGE = 1000


class Body:
    """The fields of one request. Getters raise BadInput with a plain sentence."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self.fields = fields

    def has(self, name: str) -> bool:
        return self.fields.get(name) not in (None, "")

    def text(
        self, name: str, default: str = "", longest: int = 1000, *, lines: bool = False
    ) -> str:
        value = self.fields.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise BadInput(f"{name} must be text.")
        text = str(value).strip()
        if len(text) > longest:
            raise BadInput(f"{name} is too long.")
        if has_control(text, lines=lines):
            raise BadInput(f"{name} has characters that cannot be stored.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadInput(f"{name} has characters that cannot be stored.") from None
        return text

    def required(self, name: str, longest: int = 1000) -> str:
        text = self.text(name, longest=longest)
        if not text:
            raise BadInput(f"{name} is missing.")
        return text

    def integer(self, name: str, default: int | None = None) -> int:
        """Also from "7", "7.0" and 7.0. Raises when absent without a default."""
        value = self.fields.get(name)
        if value in (None, ""):
            if default is None:
                raise BadInput(f"{name} is missing.")
            return default
        number = _integer(value)
        if number is None:
            raise BadInput(f"{name} must be a whole number.")
        return number

    def moment(self, name: str) -> datetime | None:
        """ISO 8601 with its zone; None where it is empty. Raises BadInput."""
        text = self.text(name, longest=40)
        if not text:
            return None
        with contextlib.suppress(ValueError):
            found = datetime.fromisoformat(text)
            if found.tzinfo is not None:
                return found
        raise BadInput(f"{name} must be a time such as 2026-01-31T20:00:00Z.")

    def id(self, name: str, default: int | None = None) -> int:
        """0 means none, as the apps say it."""
        number = self.integer(name, default)
        if not 0 <= number <= LARGEST_ID:
            raise BadInput(f"{name} is not an id.")
        return number

    def page(self) -> int:
        """``starting_point`` is a page number, 0, 1, 2 … Lists end at the last one: to
        reach a page Postgres walks through all before it."""
        page = self.integer("starting_point", 0)
        if not 0 <= page <= 100_000:
            raise BadInput("starting_point is not a page number.")
        if page > LAST_PAGE:
            raise Empty
        return page


def _integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        text = value.strip()
        if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20:
            return int(text)
        value = _float(text)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return None


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


async def read(request: web.Request) -> Body:
    if encoded(request):
        raise BadInput("Compressed requests are not read.")
    try:
        raw = await whole(request.content, LARGEST)
    except (web.RequestPayloadError, ConnectionError):
        raise BadInput("The request cannot be read.") from None
    if raw is None:
        raise BadInput("The request is too large.")
    return Body(_fields(raw, request.headers.get("Content-Type", "")))


def encoded(request: web.BaseRequest) -> bool:
    """A kilobyte may unpack to a megabyte, so nothing is unpacked."""
    given = ",".join(request.headers.getall("Content-Encoding", ()))
    return any(one.strip().lower() not in ("", "identity") for one in given.split(","))


def _fields(raw: bytes, content_type: str) -> parsing.Fields:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return of_parts(raw, content_type)
    if not raw.strip():
        return {}
    if kind == "application/x-www-form-urlencoded":
        return parsing.of_form(raw)
    return parsing.of_json(raw)


def header(request: web.BaseRequest, name: str) -> str:
    """ "" when it is absent."""
    given = request.headers.get(name, "").strip()
    try:
        given.encode()
    except UnicodeEncodeError:
        raise BadInput(f"The header {name} cannot be read.") from None
    return given
