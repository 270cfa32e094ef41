"""The text parts of a ``multipart/form-data`` body; nothing is uploaded here.

A whole body at once, and not as aiohttp reads it: that starts anew for each part, and
a megabyte of small ones kept everybody waiting for half a second.
"""

import re

from control_plane.base.refusals import BadInput

MOST_PARTS = 200
BOUNDARY = re.compile(r';\s*boundary="?([^\s";]{1,70})"?\s*(?:;|$)', re.IGNORECASE)
DISPOSITION = re.compile(
    rb"^content-disposition:[ \t]*form-data[ \t]*(;.*)$", re.IGNORECASE | re.MULTILINE
)
NAME = re.compile(rb';[ \t]*name=(?:"([^"\r\n]*)"|([^";\s]+))', re.IGNORECASE)
UPLOAD = re.compile(rb";[ \t]*filename\*?=", re.IGNORECASE)


def of_parts(raw: bytes, content_type: str) -> dict[str, object]:
    found = BOUNDARY.search(content_type)
    if found is None:
        raise BadInput("The form cannot be read.")
    mark = b"\r\n--" + found[1].encode("utf-8", "surrogateescape")
    parts = (b"\r\n" + raw).split(mark, MOST_PARTS + 2)
    if len(parts) > MOST_PARTS + 2:  # what stands before the first, and the end
        raise BadInput("The form has too many parts.")
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise BadInput("The form cannot be read.")
    return dict(filter(None, map(_field, parts[1:-1])))


def _field(part: bytes) -> tuple[str, str] | None:
    """None for an upload."""
    head, blank, value = part.partition(b"\r\n\r\n")
    line = DISPOSITION.search(head.replace(b"\r\n", b"\n"))
    name = None if line is None else NAME.search(line[1])
    if line is None or name is None or not blank:
        raise BadInput("The form cannot be read.")
    if UPLOAD.search(line[1]):
        return None
    try:
        return (name[1] or name[2] or b"").decode(), value.decode()
    except UnicodeDecodeError:
        raise BadInput("The form cannot be read.") from None
