"""What receives OpenTelemetry's traces, as a real server on a free port."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from control_plane.base.traces import ENDPOINTS
from tests.support.ports import free_ports


@dataclass(frozen=True)
class Span:
    role: str
    name: str
    trace: str
    id: str
    parent: str
    failed: bool
    said: dict[str, Any]


Trouble = Literal["hangs", "fails", "is busy", "is away"]


@dataclass
class Collector:
    """``env``: what has a service send here. ``text``: all that came, readable.
    ``asked``: that something came, which in trouble it does not take."""

    env: dict[str, str]
    trouble: Trouble | None = None
    spans: list[Span] = field(default_factory=list)
    text: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked.set()
        if self.trouble == "hangs":
            await asyncio.Event().wait()
        if self.trouble == "fails":
            return web.Response(status=500)
        if self.trouble == "is busy":
            return web.Response(status=429, headers={"Retry-After": "3600"})
        sent = ExportTraceServiceRequest.FromString(body)
        self.text += f"{sent}\n{body!r}\n"
        for of_one in sent.resource_spans:
            resource = _said(of_one.resource.attributes)
            assert resource["service.name"] == "control-plane"
            role = resource["control_plane.role"]
            for scope in of_one.scope_spans:
                self.spans += [_span(role, one) for one in scope.spans]
        return web.Response(content_type="application/x-protobuf")

    def of(self, **said: object) -> list[Span]:
        """Those that say this."""
        return [one for one in self.spans if said.items() <= one.said.items()]

    def named(self, name: str) -> list[Span]:
        return [one for one in self.spans if one.name == name]

    def inside(self, span: Span) -> list[Span]:
        return [one for one in self.spans if one.parent == span.id]


def _span(role: str, sent: Sent) -> Span:
    return Span(
        role,
        sent.name,
        sent.trace_id.hex(),
        sent.span_id.hex(),
        sent.parent_span_id.hex(),
        sent.status.code == Status.STATUS_CODE_ERROR,
        _said(sent.attributes),
    )


def _said(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    kinds = ((one, one.value.WhichOneof("value")) for one in attributes)
    return {one.key: getattr(one.value, kind) for one, kind in kinds if kind}


@contextlib.asynccontextmanager
async def collector(trouble: Trouble | None = None) -> AsyncIterator[Collector]:
    [port] = free_ports(1)
    found = Collector({ENDPOINTS[0]: f"http://127.0.0.1:{port}"}, trouble)
    if trouble == "is away":
        yield found
        return
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/traces", found.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield found
    finally:
        await runner.cleanup()
