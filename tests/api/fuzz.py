"""Requests that an app, a broken app or an attacker could send, from a seed."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from control_plane.api.app_shapes import ios, live
from control_plane.api.names import NAMES

T = TypeVar("T")

SERVED = sorted({*ios.ANSWERS, *live.ANSWERS})
TYPES = (
    "application/json",
    "text/plain; charset=UTF-8",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "multipart/form-data; boundary=x",
    "text/plain; charset=nonsense",
    "",
)
_IDS = """
    user_id other_user_id sender_id receiver_id block_user_id report_user_id
    report_reason_id video_id id live_streaming_id gift_id
"""
_COUNTS = """
    starting_point gift_count coin amount price private profile_view page size
    reconnect_window duration lat long
"""
_TEXTS = """
    username first_name last_name bio website gender email phone dob profile_pic
    profile_gif social social_id auth_token id_token device_token device device_id
    version ip key keyword type value paypal title cover started_at ended_at name
    channel_name description transaction_id token
"""
IDS, COUNTS, TEXTS = _IDS.split(), _COUNTS.split(), _TEXTS.split()
LISTS = ["users", "watch_videos"]
WORDS = (
    "",
    " ",
    "0",
    "1",
    "2",
    "-1",
    "3.0",
    "1e3",
    "null",
    "ann",
    "user",
    "google",
    "apple",
    "android",
    "iOS",
    "Paypal",
    "day",
    "a@example.com",
    "+49123",
    "https://example.com/a.jpg",
    "2001-02-03 04:05:06",
    "'; DROP TABLE users; --",
    "%",
    "_\\",
    "\x00",
    "\ud800",
    "Zoë 🎉",
    "\u202e\u0007",
    "x" * 300,
    "y" * 20_000,
    "9" * 30,
    "eyJ.x.y",
    "eyJhbGciOiJub25lIn0.e30.",
    "٣",
)
NUMBERS = (0, 1, 2, 3, 7, -1, 10, 999, 1000, 2**31 - 1, 2**31, 2**63, 10**30)
FLOATS = (0.0, 1.0, 1.5, -0.0, 1e308, float("nan"), float("inf"), 2.0**53)


@dataclass(frozen=True)
class Shot:
    path: str
    data: bytes | None
    headers: dict[str, str]


class Fuzzer:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  (a test's choice)

    def shot(self, tokens: Sequence[str]) -> Shot:
        """``tokens``: of users that exist."""
        headers = {"Content-Type": self._pick(TYPES)}
        token = self._pick((*tokens, *tokens, "", "0", "null", "x" * 600, "a.b", "é"))
        if token:
            headers[self._pick(("Auth-Token", "auth-token"))] = token
        if self._chance(0.1):
            headers["Idempotency-Key"] = self._pick(("a", "b", "c" * 300, " "))
        return Shot(self._path(), self._data(), headers)

    def _path(self) -> str:
        name = self._pick(SERVED if self._chance(0.95) else tuple(sorted(NAMES)))
        if self._chance(0.1):
            name = name.lower()
        return self._pick(("/api/", "/api/", "/api/", "/api//", "/")) + name

    def _data(self) -> bytes | None:
        if self._chance(0.02):
            return None
        if self._chance(0.03):
            return self._random.randbytes(self._random.randrange(200))
        body: object = self._body()
        if self._chance(0.02):
            body = self._value(0)
        text = json.dumps(body, ensure_ascii=self._chance(0.8))
        if self._chance(0.02):
            text = text[: self._random.randrange(len(text) + 1)]
        return text.encode("utf-8", "surrogatepass")

    def _body(self) -> dict[str, object]:
        names = self._random.sample(IDS, self._random.randrange(7))
        names += self._random.sample(COUNTS, self._random.randrange(4))
        names += self._random.sample(TEXTS, self._random.randrange(6))
        names += [name for name in LISTS if self._chance(0.2)]
        return {name: self._field(name) for name in names}

    def _field(self, name: str) -> object:
        """Mostly what belongs there, so that the code behind is reached."""
        if self._chance(0.25):
            return self._value(0)
        if name in IDS or name in COUNTS:
            number = self._random.randrange(8)
            return number if self._chance(0.5) else str(number)
        if name in LISTS:
            return [self._body() for _ in range(self._random.randrange(4))]
        return self._pick(WORDS)

    def _value(self, depth: int) -> object:
        kind = self._random.randrange(8 if depth < 2 else 6)
        if kind < 3:
            return self._pick(WORDS)
        if kind == 3:
            return self._pick(NUMBERS)
        if kind == 4:
            return self._pick(FLOATS)
        if kind == 5:
            return self._pick((None, True, False))
        inner = [self._value(depth + 1) for _ in range(self._random.randrange(3))]
        return inner if kind == 6 else {self._pick(IDS): one for one in inner}

    def _pick(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share
