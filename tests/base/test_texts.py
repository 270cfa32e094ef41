"""Characters that change how a screen shows the rest."""

import json

import pytest

from control_plane.base.texts import has_control, visible

FORGING = ["\x1b[2A", "\x9b2A", "\x00", "\x7f", "\u202e", "\u2066", "\u2028", "\b"]
PLAIN = ["Zoë", "李", "👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "می‌خواهم", "سلام\u200f!", ""]


@pytest.mark.parametrize("forging", FORGING)
def test_control_is_found_and_made_visible(forging: str) -> None:
    text = f"a{forging}b"
    assert has_control(text)
    assert has_control(text, lines=True)
    assert not has_control(visible(text))


@pytest.mark.parametrize("plain", PLAIN)
def test_what_people_write_is_no_control(plain: str) -> None:
    assert not has_control(plain)


@pytest.mark.parametrize("between", ["\n", "\r\n", "\t"])
def test_lines_are_control_where_one_is_asked_for(between: str) -> None:
    text = f"a{between}b"
    assert has_control(text)
    assert not has_control(text, lines=True)
    assert "\n" not in visible(text)


def test_what_is_visible_is_still_the_same_json() -> None:
    said = {"name": "".join(FORGING)}
    shown = visible(json.dumps(said, ensure_ascii=False))
    assert json.loads(shown) == said
    assert shown.isprintable()
