"""The settings as chapters of docs/settings.md, one for each concern."""

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from control_plane.config.concern import Concern
from control_plane.config.service import ServiceSettings
from control_plane.config.settings import FROM_FILES, Settings, name_of

HEAD = "| variable | default | meaning |\n|---|---|---|"


def chapters() -> str:
    return "\n".join(line for one in _concerns() for line in _chapter(one))


def _concerns() -> list[type[Concern]]:
    """Several need the service as a whole, which comes first."""
    return [ServiceSettings, *Settings.__bases__]


def _chapter(concern: type[Concern]) -> Iterator[str]:
    title, _, more = (inspect.getdoc(concern) or "").partition("\n")
    yield f"## {title.removesuffix('.')}\n"
    if more:
        yield f"{_flowing(more)}\n"
    yield HEAD
    for name, meaning in _meanings(concern):
        yield _row(name_of(name), concern.model_fields[name], meaning)
    yield ""


def _row(variable: str, field: FieldInfo, meaning: str) -> str:
    if variable in FROM_FILES:
        meaning += f" Or `{variable}_FILE` names a file that holds it."
    return f"| `{variable}` | {_default(field)} | {meaning} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "has to be set"
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value in (None, ""):
        return "none"
    return f"`{_as_written(value)}`"


def _as_written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _meanings(concern: type[Concern]) -> Iterator[tuple[str, str]]:
    """Of its own fields: the text below each, which Python itself forgets."""
    written = ast.parse(inspect.getsource(concern))
    for field, below in pairwise(ast.walk(written)):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(name)),
                ast.Expr(ast.Constant(str(text))),
            ):
                yield name, _flowing(text)


def _flowing(text: str) -> str:
    return " ".join(text.split())
