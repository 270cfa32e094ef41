"""The Content-Security-Policy: our own files, and HLS from the nodes."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

NAMED = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")
NUMBERED = re.compile(r"\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?")


def policy(hls_urls: Iterable[str]) -> str:
    """Of the pages for viewers. Covers are whatever address the broadcaster gave."""
    return _policy(hls_urls, "http: https:", "'self'")


def own(hls_urls: Iterable[str] = ()) -> str:
    """Of pages that show no pictures of others, and stand in nobody's frame."""
    return _policy(hls_urls, "", "'none'")


def _policy(hls_urls: Iterable[str], pictures: str, framed_by: str) -> str:
    nodes = " ".join(dict.fromkeys(filter(None, map(source, hls_urls))))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data: {pictures}".rstrip(),
            f"connect-src 'self' {nodes}".rstrip(),
            # blob: is how hls.js hands the picture to the video element.
            f"media-src 'self' blob: {nodes}".rstrip(),
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {framed_by}",
        )
    )


def source(url: str) -> str:
    """The origin of an address, or nothing: part of it may come from a request's
    Host header. Policies cannot name an IPv6 address, so that is its scheme."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return ""
    if NUMBERED.fullmatch(parts.netloc):
        return f"{parts.scheme}:"
    if NAMED.fullmatch(parts.netloc):
        return f"{parts.scheme}://{parts.netloc}"
    return ""
