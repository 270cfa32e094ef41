"""Whoever reads our log reads lines of one kind."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from control_plane.web import logs

LIBRARY = logging.getLogger("some.library")


Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _ours_after() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def _set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of our own, where pytest listens to nothing."""
    monkeypatch.setattr(logging.root, "handlers", [])
    logs.set_up("info", readable=False)


def _only_line(capsys: Capture) -> dict[str, Any]:
    [line] = map(json.loads, capsys.readouterr().err.splitlines())
    assert isinstance(line, dict)
    return line


def test_what_a_library_says_is_one_of_them(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_up(monkeypatch)
    LIBRARY.info("nothing of note")
    try:
        raise OSError("no room")
    except OSError:
        LIBRARY.warning("tried %s", "twice", exc_info=True)
    line = _only_line(capsys)
    assert line["level"] == "warning"
    assert line["library"] == "some.library"
    assert line["said"] == "tried twice"
    assert line["error"] == "OSError('no room')"


def test_what_went_wrong_in_a_library_is_told_whole(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_up(monkeypatch)
    try:
        raise OSError("no room")
    except OSError:
        LIBRARY.exception("it failed")
    line = _only_line(capsys)
    assert line["level"] == "error"
    assert "Traceback" in line["exception"]
