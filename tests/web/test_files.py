"""The files that the service serves itself, each below ``/api`` too."""

from pathlib import Path

import pytest

from control_plane.config.settings import Settings
from tests.support.api import API, App, running

PICTURE, VIDEO = b"\x89PNG", b"video" * 1000


@pytest.mark.parametrize("below", ["", "/api"])
@pytest.mark.parametrize("path", ["/gifts/rose.png", "/media/a.mp4"])
async def test_a_file_is_sent_again_only_when_it_changed(
    wanted: Settings, tmp_path: Path, below: str, path: str
) -> None:
    (tmp_path / "a.mp4").write_bytes(VIDEO)
    async with running(
        wanted.model_copy(update={"media_folder": tmp_path}), API
    ) as app:
        url = app.base + below + path
        async with app.http.get(url) as first:
            assert first.status == 200
            assert (await first.read()).startswith((PICTURE, VIDEO))
            assert first.headers["Cache-Control"].startswith("public, max-age=")
            assert first.headers["X-Content-Type-Options"] == "nosniff"
            assert first.headers["Access-Control-Allow-Origin"] == "*"
            known = {"If-None-Match": first.headers["ETag"]}
        async with app.http.get(url, headers=known) as again:
            assert (again.status, await again.read()) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        *("/gifts/none.png", "/api/gifts/none.png", "/gifts/..%2f__init__.py"),
        "/previews/999.jpg",
    ],
)
async def test_what_is_not_there_is_404(app: App, path: str) -> None:
    """And nobody keeps that: it may be there soon."""
    async with app.http.get(app.base + path) as response:
        assert response.status == 404
        assert response.headers["Cache-Control"] == "no-store"


async def test_without_a_folder_no_media_are_served(app: App) -> None:
    async with app.http.get(f"{app.base}/media/a.mp4") as response:
        assert response.status == 405
    async with app.http.get(f"{app.base}/api/media/a.mp4") as response:
        assert (await response.json())["code"] != 200
