"""What the sandbox node reads of a mediamtx.yml."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

T = TypeVar("T")
Settings = dict[str, Any]

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
    api_origins: tuple[str, ...]
    path: re.Pattern[str]
    path_name: str
    ready_commands: tuple[str, ...]
    not_ready_commands: tuple[str, ...]
    segment: float  # seconds
    read_timeout: float  # seconds
    rtsp_port: int
    not_served: tuple[str, ...]
    cdn_secret: str = field(default="", repr=False)


def read(file: Path) -> Config:
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise ConfigError(f"{file} cannot be read: {why}.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{file} is not a MediaMTX configuration.")
    try:
        return _config(content)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def _config(content: Settings) -> Config:
    path_name = _take(content, "paths", lambda paths: str(next(iter(paths))))
    old = content.get("externalAuthenticationURL")
    return Config(
        rtmp=_take(content, "rtmpAddress", _address),
        hls=_take(content, "hlsAddress", _address),
        api=_take(content, "apiAddress", _address),
        auth_url=_take(content, "authHTTPAddress", _url, old),
        auth_excluded=_take(content, "authHTTPExclude", _actions, []),
        api_origins=_take(content, "apiAllowOrigins", _texts, ["*"]),
        path=_take(content, "paths", lambda _: re.compile(path_name.removeprefix("~"))),
        path_name=path_name,
        ready_commands=_commands(content, "Ready", "Available", "Online"),
        not_ready_commands=_commands(content, "NotReady", "Unavailable", "Offline"),
        segment=_take(content, "hlsSegmentDuration", _seconds, "1s"),
        read_timeout=_take(content, "readTimeout", _seconds, "10s"),
        rtsp_port=_take(
            content, "rtspAddress", lambda text: _address(text)[1], ":8554"
        ),
        not_served=tuple(name for name in OTHERS if content.get(name)),
        cdn_secret=_take(content, "hlsCDNSecret", str, ""),
    )


def _take(
    content: Settings, name: str, convert: Callable[[Any], T], default: object = None
) -> T:
    try:
        return convert(content.get(name, default))
    except (AttributeError, KeyError, StopIteration, TypeError, ValueError, re.error):
        raise ConfigError(f"{name} is missing or wrong.") from None


def _commands(content: Settings, *names: str) -> tuple[str, ...]:
    defaults = content.get("pathDefaults") or {}
    found = (_take(defaults, f"runOn{name}", str, "") for name in names)
    return tuple(command for command in found if command)


def _actions(entries: list[dict[str, str]]) -> frozenset[str]:
    return frozenset(entry["action"] for entry in entries)


def _texts(items: list[str]) -> tuple[str, ...]:
    if not isinstance(items, list) or not all(isinstance(one, str) for one in items):
        raise TypeError(items)
    return tuple(items)


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError(text)
    return text


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError(text)
    return host.strip("[]"), int(port)


def _seconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(ms|s|m)", text)
    if match is None:
        raise ValueError(text)
    return float(match[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[match[2]]
