"""OpenAPI 3.1, made from the routes."""

from collections.abc import Callable, Sequence
from functools import cached_property
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec

from control_plane.ops.admission import COOKIE, KEY
from control_plane.ops.problems import CONTENT_TYPE, Problem
from control_plane.ops.routes import Call, Nothing, Route

Json = dict[str, Any]
JSON = "application/json"
IDEMPOTENCY = {
    "name": KEY,
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "The same again is answered as the first time, for 24 hours.",
}


class DescriptionApi:
    """``apps``: makes the description of what apps call."""

    def __init__(self, others: Sequence[Route], apps: Callable[[], Json]) -> None:
        self._others = others
        self._make_apps = apps

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/openapi.json", "open", self.show),
            Route("GET", "/v1/apps.json", "open", self.show_apps),
        ]

    async def show(self, call: Call[Nothing, Nothing]) -> dict[str, Any]:
        """This description."""
        return self._document

    async def show_apps(self, call: Call[Nothing, Nothing]) -> dict[str, Any]:
        """The description of what apps call: ``/api``."""
        return self._apps

    @cached_property
    def _apps(self) -> Json:
        return self._make_apps()

    @cached_property
    def _document(self) -> Json:
        return document([*self._others, *self.routes()])


def document(routes: Sequence[Route]) -> Json:
    types: list[Any] = [Problem]
    for route in routes:
        types += [route.params, route.body]
        types += [route.shape] if route.shape else []
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    known = dict(zip(types, schemas, strict=True))
    paths: dict[str, Json] = {}
    for route in routes:
        told = _operation(route, known, components)
        paths.setdefault(route.path, {})[route.method.lower()] = told
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Live control plane, for operators",
            "version": version("live-control-plane"),
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "page": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _operation(route: Route, known: dict[Any, Json], components: Json) -> Json:
    told: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.path.split("/")[2].partition(".")[0]],
        "parameters": _parameters(route, known, components),
        "responses": _responses(route, known),
    }
    if route.needs != "open":
        told["security"] = [{"token": []}, {"page": []}]
        told["x-scope"] = route.needs
    if route.takes_body:
        content = {JSON: {"schema": known[route.body]}}
        told["requestBody"] = {"content": content}
    return told


def _parameters(route: Route, known: dict[Any, Json], components: Json) -> list[Json]:
    name = known[route.params]["$ref"].rpartition("/")[2]
    described = components[name]
    found = [
        {
            "name": field,
            "in": "path" if field in route.in_path else "query",
            "required": field in described.get("required", ()),
            "schema": schema,
        }
        for field, schema in described.get("properties", {}).items()
    ]
    return [*found, IDEMPOTENCY] if route.writes and not route.streams else found


def _responses(route: Route, known: dict[Any, Json]) -> Json:
    found: Json = {
        str(status): {
            "description": why,
            "content": {CONTENT_TYPE: {"schema": known[Problem]}},
        }
        for status, why in route.errors.items()
    }
    status = 204 if route.answer is None else route.status
    good: Json = {"description": HTTPStatus(status).phrase}
    found[str(status)] = good
    if route.streams or route.shape:
        schema = {"schema": known[route.shape]} if route.shape else {}
        good["content"] = {route.streams or JSON: schema}
    return found
