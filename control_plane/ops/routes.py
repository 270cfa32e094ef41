"""What a route of ``/v1`` is. Its handler's types are the declaration: parameters, body
and answer are msgspec Structs, and from them come the checks and the description."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from aiohttp import web
from msgspec import Meta, Struct

from control_plane.base.refusals import BadInput
from control_plane.operators.model import OperatorToken, Scope

Method = Literal["GET", "POST", "PATCH", "DELETE"]
#: ``any``: of every token that counts. ``open``: nobody has to prove anything.
Needs = Scope | Literal["any", "open"]

PLAIN = "^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$"
Id = Annotated[int, Meta(ge=1, le=2_147_483_647)]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=PLAIN)]
Text = Annotated[str, Meta(max_length=500, pattern=PLAIN)]
Limit = Annotated[int, Meta(ge=1, le=500)]
Cursor = Annotated[str, Meta(max_length=60, pattern="^[0-9a-z.-]*$")]
PAGE = 50  # rows in an answer


class Nothing(Struct, forbid_unknown_fields=True):
    """No parameters, or no body."""


class One(Struct, forbid_unknown_fields=True):
    id: Id


class Paged(Struct, forbid_unknown_fields=True, kw_only=True):
    """``after``: the ``next`` of the page before."""

    limit: Limit = PAGE
    after: Cursor = ""


class Because(Struct, forbid_unknown_fields=True, kw_only=True):
    """``reason``: kept in the audit log."""

    reason: Text = ""


P = TypeVar("P", bound=Struct)
B = TypeVar("B", bound=Struct)


@dataclass(frozen=True, slots=True)
class Call(Generic[P, B]):
    """What is asked, checked. ``caller``: nobody on an open route, and beside the
    database. ``once``: names the request, so that it counts once; empty: it has no
    name."""

    params: P
    body: B
    caller: OperatorToken | None
    once: str


@dataclass(frozen=True, slots=True)
class WebCall(Call[P, B]):
    """For what cannot be answered without the request itself."""

    request: web.Request


#: Of a Call or a WebCall.
Handler = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True)
class Route:
    """``status``: of an answer; a handler without one gives 204. ``streams``: what is
    answered instead of a Struct, as a File or a response, and ``holds`` what its JSON
    holds."""

    method: Method
    path: str
    needs: Needs
    handler: Handler
    status: int = 200
    streams: str = ""
    holds: Any = None

    @cached_property
    def params(self) -> type[Struct]:
        return self._call[0]

    @cached_property
    def body(self) -> type[Struct]:
        return self._call[1]

    @cached_property
    def answer(self) -> Any:
        """None: nothing is answered."""
        found = get_type_hints(self.handler)["return"]
        return None if found is type(None) else found

    @property
    def shape(self) -> Any:
        """Of the answer's JSON; None where there is none."""
        return self.holds if self.streams else self.answer

    @property
    def in_path(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def takes_body(self) -> bool:
        return self.body is not Nothing

    @property
    def summary(self) -> str:
        return " ".join((self.handler.__doc__ or "").split())

    @property
    def name(self) -> str:
        """Of no other route."""
        words = [w for w in re.split(r"\W+", self.path.removeprefix("/v1")) if w]
        return "_".join((self.method.lower(), *words))

    @property
    def errors(self) -> Mapping[int, str]:
        """What may be answered instead, and when."""
        found = {400: "Something in the request cannot be read."}
        if self.needs != "open":
            found[429] = "Too many requests."
        if self.needs != "open" or self.writes:
            found |= {401: "No token that counts.", 403: self._forbidden}
            found |= {503: "Postgres or a node is away."}
        if self.in_path:
            found[404] = "There is no such thing."
        if self.writes:
            found |= {
                409: "It cannot be done as things are, or is being done.",
                422: "This Idempotency-Key was used for another request.",
            }
        return found

    @property
    def _forbidden(self) -> str:
        elsewhere = "Another page than ours asks."
        if self.needs in ("open", "any"):
            return elsewhere
        return f"The token has not the scope {self.needs}. {elsewhere}"

    @cached_property
    def _call(self) -> tuple[type[Struct], type[Struct]]:
        hint = get_type_hints(self.handler)["call"]
        if get_origin(hint) not in (Call, WebCall):
            raise TypeError(f"{self.name} takes a Call or a WebCall")
        params, body = get_args(hint)
        return params, body


def page_of(rows: list[Any], limit: int, cursor: Callable[[Any], object]) -> str | None:
    """Of rows of which one more than ``limit`` was asked for: where the next page
    begins. That one row is taken off."""
    if len(rows) <= limit:
        return None
    del rows[limit:]
    return str(cursor(rows[-1]))


def id_in(after: str, most: int = 2**31 - 1) -> int | None:
    """The id in a cursor; None: from the first page on. ``most``: of this list."""
    if not after:
        return None
    if not after.isdigit() or len(after) > 18:
        raise BadInput("after is no cursor of this list.")
    return min(int(after), most)
