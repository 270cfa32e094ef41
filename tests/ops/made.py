"""Requests that schemathesis makes from a description, of which it says what comes
back."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import APIOperation, Case, GenerationMode, checks
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response

from tests.conftest import FEW
from tests.support.operators import Json

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
Made = Case[Any]
Operation = APIOperation[Any, Any, Any, Any]


def operations(told: Json) -> Iterator[Operation]:
    for found in schemathesis.openapi.from_dict(told).get_all_operations():
        assert isinstance(found, Ok)
        yield found.ok()


def try_out(
    operation: Operation,
    mode: GenerationMode,
    base: str,
    headers: Mapping[str, str],
    few: int,
    meant: Callable[[Made], None],
) -> list[Response]:
    """Off the event loop, which answers. ``meant``: changes what was made."""
    found: list[Response] = []

    @settings(
        max_examples=few,
        database=None,
        derandomize=few == FEW,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Made) -> None:
        meant(case)
        response = case.call(base, session=session, headers=dict(headers))
        case.validate_response(response, checks=CHECKS)
        found.append(response)

    with requests.Session() as session:
        one()
    return found
