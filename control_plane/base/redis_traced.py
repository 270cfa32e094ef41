"""Redis with a span for each command and each pipeline, where traces are exported."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from control_plane.base import traces

if TYPE_CHECKING:
    from control_plane.base.tracing import Tracing

Client = TypeVar("Client")
Ask = Callable[..., Awaitable[Any]]


def followed(client: Client) -> Client:
    """The same, of one server or of a cluster."""
    tracing = traces.current()
    if tracing is not None:
        its: Any = client
        _replace(its, execute_command=_told(tracing, its.execute_command))
        _replace(its, pipeline=_pipeline(tracing, its.pipeline))
    return client


def _pipeline(tracing: "Tracing", opened: Callable[..., Any]) -> Callable[..., Any]:
    def pipeline(*args: Any, **options: Any) -> Any:
        found = opened(*args, **options)
        _replace(found, execute=_told(tracing, found.execute, "PIPELINE"))
        return found

    return pipeline


def _told(tracing: "Tracing", ask: Ask, name: str = "") -> Ask:
    async def asked(*words: Any, **options: Any) -> Any:
        with tracing.asking_redis(name or str(words[0])):
            return await ask(*words, **options)

    return asked


def _replace(client: Any, **methods: Any) -> None:
    """Of this one object."""
    vars(client).update(methods)
