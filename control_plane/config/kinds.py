"""Kinds of settings that more than one concern has. A check that stands here, and not
in a class, cannot be replaced by another's of the same name."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator

from control_plane.base.urls import http_address


def _are_networks(text: str) -> str:
    for part in text.split():
        ip_network(part)
    return text


def _has_no_commas(text: str) -> str:
    if "," in text:
        raise ValueError("blanks, and no commas, stand between its parts")
    return text


#: Some, between blanks.
Listed = Annotated[str, AfterValidator(_has_no_commas)]
#: Addresses or networks, between blanks.
Networks = Annotated[str, AfterValidator(_are_networks)]
#: Of HTTP, without a slash at its end; "": none.
Address = Annotated[str, AfterValidator(http_address)]
