"""What people write, and characters in it that change how a screen shows the rest."""

import re

#: Controls, line and paragraph separators, and what turns the direction of the text
#: after it. The marks U+061C, U+200E and U+200F turn nothing but themselves: keyboards
#: for Arabic and Hebrew write them.
_CONTROL = "\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
_REFUSED = re.compile(f"[{_CONTROL}]")
_REFUSED_IN_LINES = re.compile(f"(?![\t\n\r])[{_CONTROL}]")
_ESCAPED = re.compile(f"[{_CONTROL}\u061c\u200e\u200f\ud800-\udfff]")


def has_control(text: str, *, lines: bool = False) -> bool:
    """``lines``: it may have several, and tabs."""
    return bool((_REFUSED_IN_LINES if lines else _REFUSED).search(text))


def visible(text: str) -> str:
    """With escapes, as JSON has them, for what a terminal would obey."""
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
