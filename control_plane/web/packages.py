"""Packages for browsers, fetched at set-up by ``npm ci`` or part of the wheel; never
committed."""

from pathlib import Path

_INSTALLED = Path(__file__).parents[1] / "pages/player/node_modules"

PLAYER = _INSTALLED / "hls.js/dist/hls.min.mjs"
CHARTS = _INSTALLED / "uplot/dist"
