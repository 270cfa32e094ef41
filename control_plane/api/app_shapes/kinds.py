"""A small language for what an app can decode, and the check of an answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Int:
    """A JSON integer of 32 bits."""

    lowest: int = -(2**31)
    highest: int = 2**31 - 1


@dataclass(frozen=True)
class Number:
    """Any JSON number."""


@dataclass(frozen=True)
class Text:
    """JSON text; ``words`` when only these will do."""

    words: tuple[str, ...] = ()
    filled: bool = False


@dataclass(frozen=True)
class NumberLike:
    """A number, or text that is one."""


@dataclass(frozen=True)
class Scalar:
    """Read as text, whatever it is; not null, no list, no object."""


@dataclass(frozen=True)
class Anything:
    """Not read."""


@dataclass(frozen=True)
class ListOf:
    of: "Kind"
    filled: bool = False


@dataclass(frozen=True)
class Obj:
    """``must``: cannot be missing. ``may``: can. Other keys are not read."""

    must: Mapping[str, "Kind"] = field(default_factory=dict)
    may: Mapping[str, "Kind"] = field(default_factory=dict)
    #: Whether a key of ``may`` can be null (iOS) or only missing (Android).
    null: bool = False
    #: Which other keys there may be; None: any. A key that nobody has looked up in an
    #: app may well be one that it decodes, as another type.
    unread: frozenset[str] | None = None


@dataclass(frozen=True)
class Either:
    first: "Kind"
    second: "Kind"


Kind: TypeAlias = (
    Int | Number | Text | NumberLike | Scalar | Anything | ListOf | Obj | Either
)


@dataclass(frozen=True)
class Answer:
    """What an app makes of one endpoint: ``good`` is the ``msg`` of code 200, ``bad``
    that of any other, ``beside`` what stands next to ``msg`` in both."""

    good: Kind
    bad: Kind = field(default_factory=lambda: Text(filled=True))
    beside: Mapping[str, Kind] = field(default_factory=dict)


def problems(kind: Kind, value: object, at: str = "msg") -> list[str]:
    """Each place where the app would fail, as a line."""
    match kind:
        case Obj():
            return _object(kind, value, at)
        case ListOf():
            return _list(kind, value, at)
        case Either(first, second):
            one, other = problems(first, value, at), problems(second, value, at)
            return [] if not one or not other else one + other
        case _:
            return [] if _fits(kind, value) else [f"{at} is {value!r}, not {kind}"]


def _fits(kind: Kind, value: object) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    match kind:
        case Int(lowest, highest):
            return whole and lowest <= int(str(value)) <= highest
        case Number():
            return whole or isinstance(value, float)
        case Text(words, filled):
            return (
                isinstance(value, str)
                and (not words or value in words)
                and (not filled or bool(value))
            )
        case NumberLike():
            return whole or isinstance(value, float) or _is_number(value)
        case Scalar():
            return isinstance(value, str | int | float)
        case _:
            return True


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _object(kind: Obj, value: object, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at} is {value!r}, not an object"]
    found = [f"{at}.{name} is missing" for name in kind.must if name not in value]
    if kind.unread is not None:
        unknown = value.keys() - kind.must.keys() - kind.may.keys() - kind.unread
        found += [f"{at}.{name}: what does the app make of it?" for name in unknown]
    for name, inner in {**kind.may, **kind.must}.items():
        if name not in value:
            continue
        if value[name] is None and kind.null and name in kind.may:
            continue
        found += problems(inner, value[name], f"{at}.{name}")
    return found


def _list(kind: ListOf, value: object, at: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{at} is {value!r}, not a list"]
    if kind.filled and not value:
        return [f"{at} is empty"]
    return [
        line
        for number, one in enumerate(value)
        for line in problems(kind.of, one, f"{at}[{number}]")
    ]
