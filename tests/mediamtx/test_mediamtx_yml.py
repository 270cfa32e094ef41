"""What stands in mediamtx.yml. That servers take it: test_real_mediamtx.py."""

import dataclasses
import shlex
from typing import Any

import pytest
import yaml

from mediamtx.render import NodeConfig, render

CONFIG = NodeConfig(
    auth_url="http://local:n0de@127.0.0.1:8081/hooks/mediamtx/local/auth",
    hook_url="http://127.0.0.1:8081/hooks/mediamtx/local",
    hook_command="/srv/live/hooks/notify.sh",
)


def settings(version: str = "v1.20.1", **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(
        render(dataclasses.replace(CONFIG, **changes), version)
    )
    return found


def test_it_asks_our_endpoint() -> None:
    found = settings()
    assert found["authMethod"] == "http"
    assert found["authHTTPAddress"] == CONFIG.auth_url
    assert found["rtspAuthMethods"] == ["basic"]
    assert settings("v1.5.1")["externalAuthenticationURL"] == CONFIG.auth_url


@pytest.mark.parametrize("version", ["v1.6.0", "v1.20.0", "v1.20.1", "v1.21.0"])
def test_it_asks_about_everybody(version: str) -> None:
    assert settings(version, metrics="127.0.0.1:5")["authHTTPExclude"] == []


@pytest.mark.parametrize(
    ("version", "name", "value"),
    [
        ("v1.8.0", "AllowOrigin", ""),
        ("v1.15.3", "AllowOrigin", ""),
        ("v1.15.4", "AllowOrigins", []),
        ("v1.20.1", "AllowOrigins", []),
    ],
)
def test_no_page_may_read_its_api_and_metrics(
    version: str, name: str, value: object
) -> None:
    found = settings(version, metrics="127.0.0.1:5")
    origins = {key: found[key] for key in found if "AllowOrigin" in key}
    assert origins == {f"api{name}": value, f"metrics{name}": value}


def test_before_pages_were_let_in_there_is_no_setting_for_it() -> None:
    assert "AllowOrigin" not in render(CONFIG, "v1.7.0")


@pytest.mark.parametrize(
    ("version", "start", "end"),
    [
        ("v1.3.0", "runOnReady", "runOnNotReady"),
        ("v1.19.2", "runOnReady", "runOnNotReady"),
        ("v1.19.3", "runOnOnline", "runOnOffline"),
        ("1.20.1", "runOnOnline", "runOnOffline"),
    ],
)
def test_it_starts_our_command(version: str, start: str, end: str) -> None:
    defaults = settings(version)["pathDefaults"]
    assert defaults == {
        "overridePublisher": True,
        start: f"{CONFIG.hook_command} ready {CONFIG.hook_url}",
        end: f"{CONFIG.hook_command} not_ready {CONFIG.hook_url}",
    }


def test_its_command_may_have_spaces() -> None:
    path = "/srv/my live's/notify.sh"
    command = settings(hook_command=path)["pathDefaults"]["runOnOnline"]
    assert shlex.split(command) == [path, "ready", CONFIG.hook_url]


def test_it_may_start_no_command() -> None:
    assert settings(hook_command=None)["pathDefaults"] == {"overridePublisher": True}


def test_its_secret_is_in_one_setting_only() -> None:
    lines = [line for line in render(CONFIG).splitlines() if "n0de" in line]
    assert [line.split(":")[0] for line in lines] == ["authHTTPAddress"]
    assert "n0de" not in repr(CONFIG)


def test_it_says_how_it_was_made_and_what_it_holds() -> None:
    head = render(CONFIG, "1.17.1").splitlines()[:3]
    assert all(line.startswith("# ") for line in head)
    assert "mediamtx-config" in head[0]
    assert "v1.17.1" in head[0]
    assert "secret" in head[1]


def test_it_is_the_same_each_time() -> None:
    assert render(CONFIG) == render(dataclasses.replace(CONFIG))


@pytest.mark.parametrize("name", ["rtmp", "hls", "webrtc", "srt", "rtsp", "metrics"])
def test_each_server_can_be_moved_or_off(name: str) -> None:
    moved = settings(**{name: "127.0.0.1:5"})
    assert (moved[name], moved[f"{name}Address"]) == (True, "127.0.0.1:5")
    off = settings(**{name: ""})
    assert off[name] is False
    assert not [key for key in off if key.startswith(name) and key != name]


@pytest.mark.parametrize(
    ("version", "expected"),
    [("v1.3.0", None), ("v1.18.2", None), ("v1.19.0", False), ("v1.20.1", False)],
)
def test_moq_is_off_where_it_exists(version: str, expected: bool | None) -> None:
    assert settings(version).get("moq") is expected


@pytest.mark.parametrize(
    ("version", "name"),
    [("v1.3.0", "protocols"), ("v1.10.0", "protocols"), ("v1.11.0", "rtspTransports")],
)
def test_rtsp_goes_over_tcp(version: str, name: str) -> None:
    assert settings(version)[name] == ["tcp"]


def test_it_passes_on_the_rest() -> None:
    found = settings(
        trusted_proxies=("10.0.0.0/8",),
        webrtc_hosts=("live.example.org",),
        webrtc_udp="127.0.0.1:6",
        hls_segment=0.5,
    )
    assert found["hlsSegmentDuration"] == "0.5s"
    assert found["hlsTrustedProxies"] == ["10.0.0.0/8"]
    assert found["webrtcTrustedProxies"] == ["10.0.0.0/8"]
    assert found["webrtcAdditionalHosts"] == ["live.example.org"]
    assert found["webrtcLocalUDPAddress"] == "127.0.0.1:6"
    assert found["hlsVariant"] == "fmp4"
    assert list(found["paths"]) == ["~^live/[A-Za-z0-9_-]+$"]


@pytest.mark.parametrize(
    "version", ["", "latest", "v1.2.1", "v0.0.0", "v2.0.0", "v1.20", "v1.20.1\n"]
)
def test_it_refuses_other_versions(version: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        render(CONFIG, version)


def test_it_leaves_no_api_open_to_everyone() -> None:
    for address in ("0.0.0.0:9997", ":9997", "10.0.0.2:9997"):
        with pytest.raises(ValueError, match="lets everyone use its API"):
            settings("v1.5.1", api=address)
        with pytest.raises(ValueError, match="lets everyone use its metrics"):
            settings("v1.5.1", metrics=address)
    assert settings("v1.5.1", api="[::1]:9997")["api"] is True
    assert settings("v1.5.1", api="localhost:9997")["api"] is True
    assert settings("v1.6.0", api=":9997")["api"] is True


def test_it_says_who_must_not_reach_an_api_that_asks_nobody() -> None:
    assert "asks nobody who may use its API" in render(CONFIG, "v1.5.1")
    assert "asks nobody" not in render(CONFIG, "v1.6.0")


def test_it_refuses_what_the_server_would_replace() -> None:
    with pytest.raises(ValueError, match="would replace the \\$"):
        settings(hook_command="/srv/$HOME/notify.sh")


def test_caches_are_let_in_by_versions_that_can() -> None:
    assert settings(cdn_secret="abc")["hlsCDNSecret"] == "abc"
    assert "hlsCDNSecret" not in settings()
    old = render(dataclasses.replace(CONFIG, cdn_secret="abc"), "v1.18.0")
    assert "abc" not in old
    assert "no cache can stand in front of it" in old


def test_an_edge_gets_what_is_watched_there() -> None:
    origins = {"eu-1": "rtsp://10.0.0.5:8554", "us-1": "rtsp://10.1.0.5:8554"}
    found = settings(origins=origins, pull="t.s")
    assert found["paths"] == {
        rf"~^{name}/(live/[A-Za-z0-9_-]+)$": {
            "source": f"{url}/$G1?token=t.s",
            "sourceOnDemand": True,
            "rtspTransport": "tcp",
        }
        for name, url in (("eu\\-1", origins["eu-1"]), ("us\\-1", origins["us-1"]))
    }
    assert "pathDefaults" not in found
