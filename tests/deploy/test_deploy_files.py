"""Each file of deploy/ is read by the program that it is for, or by its checker."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from control_plane.config.settings import FROM_FILES
from control_plane.roles.running import ROLES
from deploy.local.folder import CHECKOUT
from tests.deploy.front import Front
from tests.deploy.tools import said, tool

DEPLOY = CHECKOUT / "deploy"
ROLE = "control-plane@auth.service"
UNITS = {"control-plane@.service": ROLE}
SOCKETS = ("control-plane-auth.socket", "control-plane-api.socket")
KUBERNETES = "1.33"
WORST = 30  # tenths of systemd's exposure level


def test_the_dockerfile() -> None:
    said(tool("hadolint"), str(DEPLOY / "Dockerfile"))


def test_compose_fits_its_schema() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    said(tool("check-jsonschema"), *schema, str(DEPLOY / "compose/compose.yaml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Compose's, as in a new checkout."""
    said(tool("openssl"), "version")
    shutil.copytree(DEPLOY / "nginx", tmp_path / "nginx")
    made = ("secrets*", "certificates", "acme", ".env", "nginx.conf")
    ignored = shutil.ignore_patterns(*made)
    return Path(
        shutil.copytree(DEPLOY / "compose", tmp_path / "compose", ignore=ignored)
    )


def _prepare(folder: Path) -> list[str]:
    return ["sh", str(folder / "prepare.sh"), "live.example.com"]


def _compose(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "compose.yaml").read_text())
    return found


def test_compose_has_all_that_it_names(folder: Path) -> None:
    said(*_prepare(folder))
    compose = _compose(folder)
    files = [folder / one["file"] for one in compose["secrets"].values()]
    assert all(len(file.read_text().strip()) >= 32 for file in files)
    text = (folder / "nginx.conf").read_text()
    _is_started_again_with(compose["services"]["nginx"], text)
    assert "lomilive" not in text
    assert "127.0.0.1" not in text
    again = subprocess.run(_prepare(folder), capture_output=True, check=False)
    assert (again.returncode, again.stderr) == (1, b"secrets/ is there already\n")


def test_compose_is_told_in_one_file_who_may_sign_in(folder: Path) -> None:
    said(*_prepare(folder))
    text = (folder / ".env").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    told = {name: value for name, _, value in (line.partition("=") for line in lines)}
    wanted = set(re.findall(r"\$\{(\w+):", (folder / "compose.yaml").read_text()))
    assert told.keys() == wanted
    assert [value for value in told.values() if value] == ["live.example.com"]


def test_a_preparation_that_failed_can_be_repeated(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here on a machine without openssl."""
    missing = tmp_path / "openssl"
    missing.write_text("#!/bin/sh\nexit 1\n")
    missing.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        first = subprocess.run(_prepare(folder), capture_output=True, check=False)
    assert first.returncode == 1
    said(*_prepare(folder))
    assert (folder / "secrets/secret").read_text().strip()


def test_compose_starts_with_a_certificate_and_takes_a_new_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(*_prepare(folder))
    held = folder / "certificates"
    said(tool("openssl"), "x509", "-in", str(held / "fullchain.pem"), "-noout")
    new = tmp_path / "live"
    new.mkdir()
    (new / "fullchain.pem").write_text("new chain")
    (new / "privkey.pem").write_text("new key")
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho "$PWD $*" >{tmp_path}/asked\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("RENEWED_LINEAGE", str(new))
    said("sh", str(folder / "renewed.sh"))
    assert (held / "fullchain.pem").read_text() == "new chain"
    assert (held / "privkey.pem").read_text() == "new key"
    asked = (tmp_path / "asked").read_text().strip()
    assert asked == f"{folder} compose exec -T nginx nginx -s reload"


def test_compose_answers_who_gives_certificates(folder: Path) -> None:
    said(*_prepare(folder))
    text = (folder / "nginx.conf").read_text()
    root = re.search(r"acme-challenge/ \{\s+root (\S+);", text)
    assert root is not None
    assert f"./acme:{root[1]}:ro" in _compose(folder)["services"]["nginx"]["volumes"]
    assert (folder / "acme").is_dir()


def test_compose_lets_operators_in_on_this_machine() -> None:
    compose = _compose(DEPLOY / "compose")
    (place,) = (name for name, role in ROLES.items() if "operator" in role.places)
    work = compose["services"][place]
    assert work["ports"] == ["127.0.0.1:8084:8084"]
    assert "outside" in work["networks"]
    assert work["environment"]["CONTROL_PLANE_OPERATOR_HOST"] == "0.0.0.0"


def _is_started_again_with(nginx: dict[str, Any], text: str) -> None:
    """It looks up once whom it leads to."""
    led_to = set(re.findall(r"^ *server ([a-z]+):\d+;", text, re.M))
    waits_for = nginx["depends_on"]
    assert led_to == {name for name, how in waits_for.items() if how.get("restart")}


def test_compose_names_real_settings() -> None:
    compose = _compose(DEPLOY / "compose")
    _are_settings(compose["x-plane"]["environment"])


def test_scripts() -> None:
    scripts = [*DEPLOY.glob("*/*.sh"), DEPLOY / "systemd/control-plane"]
    said(tool("shellcheck"), *map(str, scripts))


@pytest.fixture(scope="module")
def built() -> list[dict[str, Any]]:
    """What is applied to Kubernetes."""
    text = said(tool("kubectl"), "kustomize", str(DEPLOY / "kubernetes"))
    return list(yaml.safe_load_all(text))


def test_kubernetes_takes_what_is_built(built: list[dict[str, Any]]) -> None:
    _are_valid(built)
    for one in built:
        for pod in _pods(one):
            _is_closed(pod)


def test_kubernetes_replaces_no_media_node_by_itself(
    built: list[dict[str, Any]],
) -> None:
    nodes = [one["spec"] for one in built if one["kind"] == "StatefulSet"]
    assert [one["updateStrategy"] for one in nodes] == [{"type": "OnDelete"}]


def test_kubernetes_sends_encoders_and_viewers_to_balancers_of_their_own(
    built: list[dict[str, Any]],
) -> None:
    """RTMP, SRT and WebRTC's media do not come through the ingress."""
    ingress = next(one for one in built if one["kind"] == "Ingress")["spec"]
    through_ingress = {rule["host"] for rule in ingress["rules"]}
    node = next(one for one in built if one["kind"] == "StatefulSet")["spec"]
    given = [
        word.replace("$(NODE)", "mediamtx-0").partition("=")
        for container in node["template"]["spec"]["initContainers"]
        for word in container["args"]
    ]
    told = {option: value for option, _, value in given}
    assert told["--webrtc-host"] == told["--host"]
    assert told["--host"] not in through_ingress
    for option in ("--hls-url", "--webrtc-url"):
        assert urlsplit(told[option]).hostname in through_ingress


def test_kubernetes_has_no_log_of_whole_addresses(built: list[dict[str, Any]]) -> None:
    """Keys and viewers' tokens are in them."""
    [ingress] = [one for one in built if one["kind"] == "Ingress"]
    about = ingress["metadata"]["annotations"]
    assert about["nginx.ingress.kubernetes.io/enable-access-log"] == "false"


def test_kubernetes_lets_one_decide_how_many_of_a_role_there_are(
    built: list[dict[str, Any]],
) -> None:
    """What cannot be read of a pod without an adapter would stop scaling down."""
    scalers = [one["spec"] for one in built if one["kind"] == "HorizontalPodAutoscaler"]
    scaled = {one["scaleTargetRef"]["name"] for one in scalers}
    counted = {
        one["metadata"]["name"]
        for one in built
        if one["kind"] == "Deployment" and "replicas" in one["spec"]
    }
    assert (scaled, counted) == ({"auth", "api"}, {"work"})
    assert {metric["type"] for one in scalers for metric in one["metrics"]} == {
        "Resource"
    }


def test_kubernetes_resources_fit_their_schemas() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes/kustomization.yaml").read_text())
    for name in listed["resources"]:
        text = (DEPLOY / "kubernetes" / name).read_text()
        _are_valid(list(yaml.safe_load_all(text)))
    literals = listed["configMapGenerator"][0]["literals"]
    _are_settings(dict(one.split("=", 1) for one in literals))


def _are_valid(resources: list[dict[str, Any]]) -> None:
    checker = pytest.importorskip("kubernetes_validate")
    for one in resources:
        checker.validate(one, KUBERNETES, strict=True)


def _pods(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if template := resource.get("spec", {}).get("template"):
        yield template["spec"]


def _is_closed(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        held = container["securityContext"]
        assert held["readOnlyRootFilesystem"], container["name"]
        assert held["capabilities"] == {"drop": ["ALL"]}, container["name"]


def _are_settings(environment: dict[str, Any]) -> None:
    """That nobody reads would be a name with a slip in it."""
    from control_plane.config.settings import Settings

    fields = {f"CONTROL_PLANE_{name.upper()}" for name in Settings.model_fields}
    known = fields | {f"{name}_FILE" for name in FROM_FILES}
    assert set(environment) <= known


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Ours, with programs that are here."""
    here = f"{Path(sys.executable).parent}/control-plane"
    for file in (DEPLOY / "systemd").glob("*.s*"):
        text = file.read_text()
        for program in (
            "/opt/control-plane/bin/control-plane",
            "/usr/local/bin/mediamtx",
        ):
            text = text.replace(program, here)
        (tmp_path / UNITS.get(file.name, file.name)).write_text(text)
    shutil.copy(tmp_path / ROLE, tmp_path / "control-plane@api.service")
    return tmp_path


@pytest.mark.parametrize("name", [ROLE, "mediamtx.service", *SOCKETS])
def test_systemd_takes_the_unit(units: Path, name: str) -> None:
    # It answers 0 to much of what it complains about.
    complaints = said(tool("systemd-analyze"), "verify", str(units / name))
    ours = (ROLE, "mediamtx", "control-plane")
    assert [
        line for line in complaints.splitlines() if any(map(line.count, ours))
    ] == []


@pytest.mark.parametrize("name", [ROLE, "mediamtx.service"])
def test_the_unit_is_hardened(units: Path, name: str) -> None:
    options = ("security", "--offline=true", f"--threshold={WORST}")
    said(tool("systemd-analyze"), *options, str(units / name))


def test_units_settings_are_real() -> None:
    text = (DEPLOY / "systemd/control-plane.env").read_text()
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    _are_settings(dict(line.split("=", 1) for line in lines))


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    front = Front(tmp_path, {"PUBLIC": 8080, "HLS": 8888, "WEBRTC": 8889})
    said(tool("nginx"), "-t", "-q", "-c", str(front.configuration()))


def test_caddy_takes_its_file() -> None:
    options = ("--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile")
    said(tool("caddy"), "validate", *options)
