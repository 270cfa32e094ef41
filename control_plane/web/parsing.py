"""From a body's bytes to its fields. All of it happens between two looks at the other
connections, so each kind of body is bounded by what its parsing costs."""

import json
from urllib.parse import parse_qsl

from control_plane.base.refusals import BadInput

MOST_VALUES = 10_000  # of a JSON object, whatever their depth
MOST_NESTED = 500  # lists and objects
LONGEST_INTEGER = 20  # digits and a sign: 64 bits
MOST_FIELDS = 1000  # of a form
MOST_ESCAPED = 15_000  # bytes of a form that are written as %41

Fields = dict[str, object]


def of_json(raw: bytes) -> Fields:
    nested = raw.count(b"[") + raw.count(b"{")
    if nested > MOST_NESTED or raw.count(b",") > MOST_VALUES:
        raise BadInput("The request holds too many values.")
    try:
        fields = json.loads(raw.decode("utf-8-sig"), parse_int=_integer)
    except (ValueError, RecursionError):
        raise BadInput("The request is not valid JSON.") from None
    if not isinstance(fields, dict):
        raise BadInput("The request must be a JSON object.")
    return fields


def _integer(digits: str) -> int:
    """Python's own reading of a long one takes the square of its length."""
    if len(digits) > LONGEST_INTEGER:
        raise ValueError("more than 64 bits")
    return int(digits)


def of_form(raw: bytes) -> Fields:
    if raw.lstrip().startswith(b"{"):
        return of_json(raw)  # curl -d without a header calls JSON a form
    if raw.count(b"&") >= MOST_FIELDS or raw.count(b"%") > MOST_ESCAPED:
        raise BadInput("The request holds too many values.")
    try:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True))
    except ValueError:
        raise BadInput("The form cannot be read.") from None
