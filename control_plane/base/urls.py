"""Addresses that people write down."""

from urllib.parse import urlsplit


def http_address(text: str) -> str:
    """Without a slash at its end. ValueError with a sentence when nothing can be
    reached by it; the empty one is none and stays so."""
    if text and not _is_http(text):
        raise ValueError(
            "It is no address, as https://live.example.com or http://h:8081"
        )
    return text.rstrip("/")


def _is_http(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    more = parts.query or parts.fragment or any(map(str.isspace, text))
    return bool(
        parts.scheme in ("http", "https") and parts.hostname and port != 0 and not more
    )
