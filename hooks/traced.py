"""Spans of what nodes ask, where traces are exported."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from control_plane.base import request_ids, traces
from hooks.connection import Answerer
from hooks.listener import Listener
from hooks.messages import Answer, Request

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from control_plane.base.tracing import Tracing

AUTH, HOOK = "/hooks/mediamtx/{node}/auth", "/hooks/mediamtx/{node}/{event}"


def answerer(listener: Listener) -> Answerer:
    """The listener's own where nothing is traced."""
    tracing = traces.current()
    return listener.answer if tracing is None else _Traced(tracing, listener).answer


class _Traced:
    def __init__(self, tracing: "Tracing", listener: Listener) -> None:
        self._tracing = tracing
        self._listener = listener

    def answer(self, request: Request) -> "Answer | Awaitable[Answer]":
        if request.method != b"POST":
            return self._listener.answer(request)
        span = self._begun(request)
        with self._tracing.inside(span, ends=False):
            found = self._listener.answer(request)
        if isinstance(found, Answer):
            return self._ended(span, found)
        return self._later(span, found)

    async def _later(self, span: "Span", coming: Awaitable[Answer]) -> Answer:
        with self._tracing.inside(span, ends=False):
            found = await coming
            if asked_by := request_ids.current():
                span.set_attribute("request_id", asked_by)
        return self._ended(span, found)

    def _begun(self, request: Request) -> "Span":
        route = AUTH if request.path.endswith(b"/auth") else HOOK
        span = self._tracing.serves(f"POST {route}")
        span.set_attribute("http.route", route)
        span.set_attribute("node", self._listener.node_at(request.path))
        return span

    def _ended(self, span: "Span", answer: Answer) -> Answer:
        span.set_attribute("http.response.status_code", answer.status)
        if answer.status >= 500:
            self._tracing.failed(span, str(answer.status))
        span.end()
        if answer.after is None:
            return answer
        return answer._replace(after=partial(self._after, span, answer.after))

    def _after(self, span: "Span", work: Callable[[], None]) -> None:
        """What is logged then belongs to it."""
        with self._tracing.inside(span, ends=False):
            work()
