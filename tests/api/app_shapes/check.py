"""Whether an answer fits both apps."""

from collections.abc import Mapping

from control_plane.api.app_shapes import android, ios, live
from control_plane.api.app_shapes.kinds import Answer, Anything, problems

APPS = {
    "Android": android.ANSWERS,
    "iOS": ios.ANSWERS,
    "an app that goes live with us": live.ANSWERS,
}
#: 400 bad input, 401 no token, 429 too many, 501 signed out.
CODES = frozenset({200, 201, 202, 400, 401, 429, 501})
#: What an app does not call, and what is not served yet.
UNKNOWN = Answer(Anything())
ACCIDENT = "Something went wrong here."


def misfits(name: str, answer: object) -> list[str]:
    """Each place where an app would fail, as a line; empty: none."""
    if not isinstance(answer, dict):
        return [f"{name}: the answer is no object"]
    code = answer.get("code")
    if type(code) is not int or code not in CODES:
        return [f"{name}: code is {code!r}"]
    if "msg" not in answer or answer["msg"] is None:
        return [f"{name}: there is no msg"]
    found = [f"{name}: {answer}"] if ACCIDENT in str(answer) else []
    for app, wanted in _readers(name):
        lines = _of_app(wanted, code, answer)
        found += [f"{app}, {name}, code {code}: {line}" for line in lines]
    return found


def _of_app(wanted: Answer, code: int, answer: Mapping[str, object]) -> list[str]:
    found = problems(wanted.good if code == 200 else wanted.bad, answer["msg"])
    for key, kind in wanted.beside.items():
        if key not in answer:
            found.append(f"{key} is missing")
        else:
            found += problems(kind, answer[key], key)
    return found


def _readers(name: str) -> list[tuple[str, Answer]]:
    """Who reads this endpoint's answers, and how."""
    found = [
        (app, answer)
        for app, answers in APPS.items()
        for known, answer in answers.items()
        if known.lower() == name.lower()
    ]
    return found or [("any app", UNKNOWN)]
