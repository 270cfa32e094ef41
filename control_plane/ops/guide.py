"""``/ops/guide``: the documentation, for who stands before the dashboard at night and
has nothing else at hand."""

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from aiohttp import web
from markdown_it import MarkdownIt
from markdown_it.token import Token

from control_plane.web import files
from control_plane.web.files import File
from control_plane.web.policy import own

#: Of an installation; a checkout has them where everybody looks for them.
INSTALLED = Path(__file__).parent / "guide"
FOLDER = INSTALLED if INSTALLED.is_dir() else Path(__file__).parents[2] / "docs"
PLACE = "/ops/guide"
OPERATIONS = "operations"

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_FRAME = (Path(__file__).parent / "static/guide.html").read_text("utf-8")
_NO_SLUG = re.compile(r"[^\w -]")


def routes() -> list[web.RouteDef]:
    names = sorted(path.stem for path in FOLDER.glob("*.md"))

    async def show(request: web.Request) -> web.StreamResponse:
        response = files.respond(request, _page(request.match_info["name"]))
        response.headers["Content-Security-Policy"] = own()
        return response

    async def begin(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(section())

    return [
        web.get(PLACE, begin),
        web.get(f"{PLACE}/{{name:{'|'.join(names)}}}", show),
        *files.from_disk(PLACE, FOLDER, "[a-z-]+[.]png", files.HOUR),
    ]


def section(title: str = "") -> str:
    """Where it stands in the runbook."""
    return f"{PLACE}/{OPERATIONS}" + (f"#{_slug(title)}" if title else "")


@functools.cache
def _page(name: str) -> File:
    text = (FOLDER / f"{name}.md").read_text("utf-8")
    tokens = _MARKDOWN.parse(text)
    titles = list(_titles(tokens))
    for token in _inside(tokens):
        if token.type == "link_open":
            token.attrs["href"] = _beside_us(str(token.attrs["href"]))
    body = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    page = _FRAME.replace("{{title}}", titles[0]).replace("{{body}}", body)
    return files.file(page.encode(), files.TYPES[".html"])


def _titles(tokens: Sequence[Token]) -> Iterator[str]:
    """Of all headings, which get the ids that GitHub gives them."""
    for token, inside in itertools.pairwise(tokens):
        if token.type == "heading_open":
            token.attrs["id"] = _slug(inside.content)
            yield inside.content


def _inside(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or ()


def _slug(title: str) -> str:
    return _NO_SLUG.sub("", title.lower()).replace(" ", "-")


def _beside_us(link: str) -> str:
    """``nodes.md#drain`` is ``nodes#drain`` here."""
    name, mark, place = link.partition("#")
    return name.removesuffix(".md") + mark + place
