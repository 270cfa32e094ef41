"""What is said to a route, read as it declares it, and carried out: for a request, and
for the command line beside the database."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from control_plane.audit.log import acting
from control_plane.audit.model import Actor
from control_plane.base.refusals import BadInput, Empty
from control_plane.ops.routes import Call, Nothing, Route
from control_plane.web.files import File

NOTHING = "There is no such thing."  # apps are told it in words of their own


def read_params(route: Route, given: Mapping[str, str]) -> Struct:
    """Of its path and its query together."""
    try:
        return msgspec.convert(given, route.params, strict=False)
    except (msgspec.ValidationError, UnicodeError) as error:
        raise BadInput(f"The parameters cannot be read: {error}.") from None


def read_body(route: Route, raw: bytes) -> Struct:
    """No body is an empty one."""
    if not route.takes_body:
        return Nothing()
    try:
        return msgspec.json.decode(raw or b"{}", type=route.body)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadInput(f"The body cannot be read: {error}.") from None


async def carried_out(route: Route, call: Call[Struct, Struct]) -> tuple[int, bytes]:
    """The status and the JSON of the answer."""
    try:
        answer = await route.handler(call)
    except Empty as refusal:
        if refusal.sentence == Empty.__doc__:
            raise Empty(NOTHING) from None
        raise
    if answer is None:
        return 204, b""
    if isinstance(answer, File):
        return route.status, answer.body
    return route.status, msgspec.json.encode(answer)


async def acted(
    route: Route, call: Call[Struct, Struct], actor: Actor
) -> tuple[int, bytes]:
    """As :func:`carried_out`; what is recorded was done by this one."""
    with acting(actor, getattr(call.body, "reason", "")):
        return await carried_out(route, call)
