"""Packages for browsers, fetched at set-up by ``npm ci`` or part of the wheel; never
committed."""

from pathlib import Path

_INSTALLED = Path(__file__).parents[1] / "pages/player/node_modules"

#: What plays on our own pages, without a package.
PLAYING = Path(__file__).parents[1] / "pages/static"
PLAYER = _INSTALLED / "hls.js/dist/hls.min.mjs"
CHARTS = _INSTALLED / "uplot/dist"
#: The script that comes with it and tells others of its installation never runs.
DOCS = _INSTALLED / "swagger-ui-dist"
