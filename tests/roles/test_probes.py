"""What Kubernetes asks each role, at first and then again and again."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import yaml

from deploy.local.folder import CHECKOUT
from tests.support.roles import Operator
from tests.support.stack import until

ROLES = CHECKOUT / "deploy/kubernetes/roles.yaml"
PLACES = {8080: "PUBLIC", 8081: "INTERNAL", 8082: "API_METRICS", 8083: "WORK_METRICS"}


async def test_pods_begin_and_stay_without_redis(operator: Operator) -> None:
    await operator.serve(REDIS_URL="redis://127.0.0.1:1")
    asked = list(_probes())
    assert len(asked) == 9
    for port, path in asked:
        await until(partial(operator.answer, PLACES[port], path))


def _probes() -> Iterator[tuple[int, str]]:
    """Port and path of each."""
    for one in yaml.safe_load_all(ROLES.read_text()):
        if one["kind"] == "Deployment":
            [container] = one["spec"]["template"]["spec"]["containers"]
            yield from _probes_of(container)


def _probes_of(container: dict[str, Any]) -> Iterator[tuple[int, str]]:
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for when in ("startup", "readiness", "liveness"):
        asked = container[f"{when}Probe"]["httpGet"]
        yield ports[asked["port"]], asked["path"]
