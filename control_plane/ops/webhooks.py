"""``/v1/webhooks``: receivers of events."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from control_plane.base.refusals import BadInput
from control_plane.base.streams import whole
from control_plane.operators.service import Tokens
from control_plane.ops.operators import guarded
from control_plane.webhooks.model.endpoints import Endpoint, Wish
from control_plane.webhooks.model.messages import Answer, Attempt
from control_plane.webhooks.service.webhooks import Verified, Webhooks, number

LARGEST = 65_536  # bytes of a body
ONE = "/v1/webhooks/{id:[0-9]{1,9}}"
LINES = 100  # of the delivery log


class NewEndpoint(Struct, forbid_unknown_fields=True):
    url: str
    types: list[str] = []
    description: str = ""


class Changes(Struct, forbid_unknown_fields=True):
    url: str | None = None
    types: list[str] | None = None
    description: str | None = None


class Enable(Struct, forbid_unknown_fields=True):
    skip: bool = False


class Rotate(Struct, forbid_unknown_fields=True):
    hours: Annotated[float, Meta(ge=0, le=168)] = 24.0


class Resend(Struct, forbid_unknown_fields=True):
    events: list[str]


Body = TypeVar("Body")


class WebhooksApi:
    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def routes(self, tokens: Tokens) -> list[web.RouteDef]:
        may = partial(guarded, tokens, "webhooks")
        return [
            web.get("/v1/webhooks", may(self.listing), allow_head=False),
            web.post("/v1/webhooks", may(self.add)),
            web.get(ONE, may(self.get), allow_head=False),
            web.patch(ONE, may(self.change)),
            web.delete(ONE, may(self.remove)),
            web.post(ONE + "/enable", may(self.enable)),
            web.post(ONE + "/disable", may(self.disable)),
            web.post(ONE + "/rotate", may(self.rotate)),
            web.post(ONE + "/test", may(self.test)),
            web.post(ONE + "/resend", may(self.resend)),
            web.get(ONE + "/deliveries", may(self.deliveries), allow_head=False),
        ]

    async def listing(self, _request: web.Request) -> web.Response:
        found = await self._webhooks.listing()
        return web.json_response({"webhooks": [_told(one) for one in found]})

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(_told(await self._webhooks.get(_id(request))))

    async def add(self, request: web.Request) -> web.Response:
        body = await _read(request, NewEndpoint)
        found = await self._webhooks.add(Wish(body.url, body.types, body.description))
        secret = self._webhooks.secret(found.endpoint)
        return web.json_response(_verified(found) | {"secret": secret}, status=201)

    async def change(self, request: web.Request) -> web.Response:
        body, now = (
            await _read(request, Changes),
            await self._webhooks.get(_id(request)),
        )
        wish = Wish(
            now.url if body.url is None else body.url,
            now.types if body.types is None else body.types,
            now.description if body.description is None else body.description,
        )
        return web.json_response(_verified(await self._webhooks.change(now.id, wish)))

    async def remove(self, request: web.Request) -> web.Response:
        await self._webhooks.remove(_id(request))
        return web.Response(status=204)

    async def enable(self, request: web.Request) -> web.Response:
        body = await _read(request, Enable)
        found = await self._webhooks.enable(_id(request), skip=body.skip)
        return web.json_response(_verified(found))

    async def disable(self, request: web.Request) -> web.Response:
        await self._webhooks.disable(_id(request))
        return await self.get(request)

    async def rotate(self, request: web.Request) -> web.Response:
        hours = (await _read(request, Rotate)).hours
        found = await self._webhooks.rotate(_id(request), timedelta(hours=hours))
        return web.json_response(
            _told(found) | {"secret": self._webhooks.secret(found)}
        )

    async def test(self, request: web.Request) -> web.Response:
        return web.json_response(_answer(await self._webhooks.send_test(_id(request))))

    async def resend(self, request: web.Request) -> web.Response:
        ids = [number(one) for one in (await _read(request, Resend)).events]
        answers = await self._webhooks.resend(_id(request), ids)
        return web.json_response({"answers": [_answer(one) for one in answers]})

    async def deliveries(self, request: web.Request) -> web.Response:
        found = await self._webhooks.deliveries(_id(request), LINES)
        return web.json_response({"deliveries": [_line(one) for one in found]})


def _id(request: web.Request) -> int:
    return int(request.match_info["id"])


async def _read(request: web.Request, kind: type[Body]) -> Body:
    """No body is an empty one. Raises BadInput."""
    body = await whole(request.content, LARGEST)
    if body is None:
        raise BadInput("The body is too long.")
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadInput(f"The body cannot be read: {error}.") from None


def _told(one: Endpoint) -> dict[str, object]:
    return {
        "id": one.id,
        "url": one.url,
        "types": list(one.types),
        "description": one.description,
        "enabled": one.enabled,
        "disabled_because": one.disabled_because,
        "failing_since": _when(one.failing_since),
        "cursor": str(one.position),
        "created_at": _when(one.created_at),
    }


def _verified(found: Verified) -> dict[str, object]:
    return _told(found.endpoint) | {"problem": found.problem}


def _answer(one: Answer) -> dict[str, object]:
    return {"taken": one.taken, "status": one.status, "error": one.reason}


def _line(one: Attempt) -> dict[str, object]:
    return {
        "event": f"evt_{one.event_id}" if one.event_id else None,
        "type": one.type,
        "status": one.status,
        "error": one.error,
        "milliseconds": one.milliseconds,
        "at": _when(one.at),
    }


def _when(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
