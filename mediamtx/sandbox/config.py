"""What the sandbox node reads of a mediamtx.yml."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

OTHERS = ("rtsp", "srt", "webrtc", "moq")


class ConfigError(Exception):
    """One sentence about the file."""


@dataclass(frozen=True)
class Config:
    """``host`` "" stands for every address."""

    rtmp: tuple[str, int]
    hls: tuple[str, int]
    api: tuple[str, int]
    auth_url: str = field(repr=False)
    auth_excluded: frozenset[str]
    path: re.Pattern[str]
    path_name: str
    ready_commands: tuple[str, ...]
    not_ready_commands: tuple[str, ...]
    segment: float  # seconds
    read_timeout: float  # seconds
    rtsp_port: str
    not_served: tuple[str, ...]


def read(file: Path) -> Config:
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{file} is not a MediaMTX configuration.")
    try:
        return _config(content)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"{file}: {error} is missing or wrong.") from None


def _config(content: dict[str, Any]) -> Config:
    defaults = content.get("pathDefaults") or {}
    path_name = next(iter(content["paths"]))
    excluded = content.get("authHTTPExclude") or []
    return Config(
        rtmp=_address(content["rtmpAddress"]),
        hls=_address(content["hlsAddress"]),
        api=_address(content["apiAddress"]),
        auth_url=content.get("authHTTPAddress") or content["externalAuthenticationURL"],
        auth_excluded=frozenset(entry["action"] for entry in excluded),
        path=re.compile(path_name.removeprefix("~")),
        path_name=path_name,
        ready_commands=_commands(defaults, "Ready", "Available", "Online"),
        not_ready_commands=_commands(defaults, "NotReady", "Unavailable", "Offline"),
        segment=_seconds(content.get("hlsSegmentDuration", "1s")),
        read_timeout=_seconds(content.get("readTimeout", "10s")),
        rtsp_port=str(content.get("rtspAddress", ":8554")).rpartition(":")[2],
        not_served=tuple(name for name in OTHERS if content.get(name)),
    )


def _commands(defaults: dict[str, Any], *names: str) -> tuple[str, ...]:
    found = (defaults.get(f"runOn{name}") for name in names)
    return tuple(command for command in found if command)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _seconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(ms|s|m)", text)
    if match is None:
        raise ValueError(text)
    return float(match[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[match[2]]
