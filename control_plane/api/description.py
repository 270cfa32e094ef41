"""OpenAPI 3.1 of ``/api``: the endpoints that are served, and of each what it reads and
the answers that the apps decode."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from control_plane.api.app_shapes.kinds import Answer, Anything
from control_plane.api.app_shapes.schemas import Schemas, readers, spelled
from control_plane.api.bodies import BODIES
from control_plane.web.dispatch import Caller, Endpoint

Json = dict[str, Any]
JSON = "application/json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
#: One that neither app calls.
UNREAD = Answer(Anything())
ABOUT = """\
Everything is a POST, answered with HTTP 200 and {"code", "msg"}: 200; 201 refused, msg
is a sentence; 202 the Api-Key; 400 unreadable; 401 no token; 429 too many; 501 signed
out. The token may be in the body too, as auth_token. Fields that are not named here are
not read; docs/apps.md says what each app sends."""
SECURITY: Mapping[Caller, list[Json]] = {
    "required": [{"token": []}],
    "optional": [{"token": []}, {}],
    "none": [],
}


def document(endpoints: Mapping[str, Endpoint]) -> Json:
    schemas, names = Schemas(), spelled()
    paths = {}
    for name, endpoint in endpoints.items():
        called = names.get(name.lower(), name)
        paths[f"/api/{called}"] = {"post": _operation(called, endpoint, schemas)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Live control plane, for apps",
            "version": version("live-control-plane"),
            "description": ABOUT,
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Auth-Token"},
                "app": {"type": "apiKey", "in": "header", "name": "Api-Key"},
            },
        },
    }


def _operation(name: str, endpoint: Endpoint, schemas: Schemas) -> Json:
    wanted = readers(name) or [UNREAD]
    good = _all([schemas.answer(one, good=True) for one in wanted])
    bad = _all([schemas.answer(one, good=False) for one in wanted])
    app: Json = {} if endpoint.without_api_key else {"app": []}
    return {
        "operationId": name,
        "summary": " ".join((endpoint.handler.__doc__ or "").split()),
        "security": [one | app for one in SECURITY[endpoint.caller] or [{}]],
        "requestBody": _body(BODIES[name]),
        "responses": {
            "200": {
                "description": "Done, or refused.",
                "content": {JSON: {"schema": {"anyOf": [good, bad]}}},
            }
        },
    }


def _body(schema: Json) -> Json:
    """Forms have no lists."""
    lists = any("items" in one for one in schema["properties"].values())
    kinds = (JSON,) if lists else (JSON, *FORMS)
    return {
        "content": {kind: {"schema": schema} for kind in kinds},
        "required": bool(schema["required"] or "anyOf" in schema),
    }


def _all(schemas: list[Json]) -> Json:
    return schemas[0] if len(schemas) == 1 else {"allOf": schemas}
