"""Requests whose only purpose is to keep the server busy, as raw bytes."""

import gzip
import zlib

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=x"
SIZE = 250_000  # bytes, near to what is read at all
# Near to what is let through.
VALUES, NESTED, FIELDS, ESCAPED, PARTED = 9_900, 490, 990, 14_900, 195
LINE = 8_000  # bytes, near to what one header may have
PATH = 4_000  # bytes, near to what a path may have


def request(
    body: bytes = b"",
    content_type: str = JSON,
    *headers: str,
    path: str = "/api/showGifts",
    method: str = "POST",
) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Type: {content_type}",
        *headers,
    ]
    if not any(line.startswith("Transfer-Encoding") for line in lines):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def field(value: bytes) -> bytes:
    return b'{"id": ' + value + b"}"


def filled(pattern: bytes, size: int = SIZE) -> bytes:
    return pattern * (size // len(pattern))


def numbered(pattern: bytes, size: int = SIZE) -> bytes:
    """Like ``filled``; ``%d`` makes each different."""
    length = len(pattern % 10_000)
    return b"".join(pattern % (10_000 + n) for n in range(size // length))


def part(name: bytes = b"a", more: bytes = b"") -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="' + name + b'"'
    return head + more + b"\r\n\r\n1\r\n"


def chunked(body: bytes, size: int, extension: bytes = b"") -> bytes:
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    lines = b"".join(b"%x%s\r\n%s\r\n" % (len(p), extension, p) for p in pieces)
    return lines + b"0\r\n\r\n"


def jsons() -> dict[str, bytes]:
    return {
        "deep lists": filled(b"["),
        "deep lists, closed": field(b"[" * 100_000 + b"]" * 100_000),
        "nine hundred deep": field(b"[" * 900 + b"]" * 900),
        "deep objects": filled(b'{"a":'),
        "many lists": field(b"[" + filled(b"[],") + b"0]"),
        "many objects": field(b"[" + filled(b"{},") + b"0]"),
        "many keys": b"{" + numbered(b'"%d":1,') + b'"a":1}',
        "one key, many times": b"{" + filled(b'"a":1,') + b'"a":1}',
        "many numbers": field(b"[" + filled(b"1,") + b"0]"),
        "a long integer": field(filled(b"9")),
        "a longer integer": field(b"9" * 1_000_000),
        "integers as long as Python takes": field(
            b"[" + filled(b"9" * 4300 + b",") + b"0]"
        ),
        "a long fraction": field(b"0." + filled(b"1")),
        "a hard fraction": field(b"[" + filled(b"2.2250738585072011e-308,") + b"0]"),
        "a long exponent": field(b"1e" + filled(b"9")),
        "large exponents": field(b"[" + filled(b"1e400,") + b"0]"),
        "lone surrogates": field(b'"' + filled(b"\\ud800") + b'"'),
        "escapes": field(b'"' + filled(b"\\n") + b'"'),
        "wide letters": field(b'"' + filled("🎉".encode()) + b'"'),
        "broken letters": field(b'"' + filled(b"\xff") + b'"'),
        "blanks": filled(b" ") + b"{}",
        "UTF-16": field(b'"' + filled(b"a", SIZE // 2) + b'"')
        .decode()
        .encode("utf-16"),
        "UTF-32": field(b'"' + filled(b"a", SIZE // 4) + b'"')
        .decode()
        .encode("utf-32"),
        "zeros": filled(b"\x00"),
        "quotes": filled(b'"'),
        "an open string": field(b'"' + filled(b"a")),
    }


def jsons_within_the_limits() -> dict[str, bytes]:
    return {
        "keys": b"{" + b",".join(b'"%d":1' % n for n in range(VALUES)) + b"}",
        "texts": field(b"[" + b",".join([b'"\\ud83c\\udf89"'] * VALUES) + b"]"),
        "integers": field(b"[" + b",".join([b"9" * 18] * VALUES) + b"]"),
        "fractions": field(
            b"[" + b",".join([b"2.2250738585072011e-308"] * VALUES) + b"]"
        ),
        "long fractions": field(b"[" + b",".join([b"1." + b"7" * 800] * 300) + b"]"),
        "lists": field(b"[" + b",".join([b"[]"] * NESTED) + b"]"),
        "objects": field(b'{"a":' * NESTED + b"1" + b"}" * NESTED),
    }


def forms_within_the_limits() -> dict[str, bytes]:
    return {
        "fields": b"&".join(b"%%4%d%d=%%ff" % (n % 10, n) for n in range(FIELDS)),
        "one field": b"a=" + b"%41" * ESCAPED,
        "letters that are none": b"a=" + b"%ff" * ESCAPED,
        "a name": b"%ff" * ESCAPED,
        "broken escapes": b"a=" + b"%" * ESCAPED,
    }


def forms() -> dict[str, bytes]:
    return {
        "many empty fields": filled(b"a&"),
        "many fields": numbered(b"%d=1&"),
        "separators": filled(b"&"),
        "equals signs": filled(b"="),
        "an encoded field": b"a=" + filled(b"%41"),
        "encoded fields": filled(b"%41=%41&"),
        "broken escapes": b"a=" + filled(b"%"),
        "encoded letters that are none": b"a=" + filled(b"%ff"),
        "plus signs": b"a=" + filled(b"+"),
    }


def multiparts() -> dict[str, bytes]:
    return {
        "small parts": filled(part()) + b"--x--\r\n",
        "different parts": numbered(part(b"%d")) + b"--x--\r\n",
        "files": filled(part(more=b'; filename="a"')) + b"--x--\r\n",
        "only boundaries": filled(b"--x\r\n") + b"--x--\r\n",
        "almost boundaries": part() + filled(b"\r\n--") + b"\r\n--x--\r\n",
        "a part of headers": b"--x\r\n" + filled(b"A: b\r\n") + b"\r\n1\r\n--x--\r\n",
        "a header without end": b"--x\r\nA: " + filled(b"b"),
        "nested": filled(
            part(more=b"\r\nContent-Type: multipart/mixed; boundary=x") + b"--x--\r\n"
        ),
        "no boundary at all": filled(b"a"),
        "a long disposition": b"--x\r\nContent-Disposition: form-data; "
        + filled(b'name="')
        + b"\r\n\r\n1\r\n--x--\r\n",
        "as many as are let through": part(b"%d") * PARTED + b"--x--\r\n",
        "encoded parts": filled(part(more=b"\r\nContent-Transfer-Encoding: base64")),
    }


def packed() -> dict[str, bytes]:
    form = b"a&" * 480_000
    return {
        "a gzipped form": request(gzip.compress(form), FORM, "Content-Encoding: gzip"),
        "a deflated form": request(
            zlib.compress(form), FORM, "Content-Encoding: deflate"
        ),
        "in capitals": request(gzip.compress(form), FORM, "CONTENT-ENCODING: GZIP"),
        "gzipped parts": request(
            gzip.compress(part() * 20_000), PARTS, "Content-Encoding: gzip"
        ),
        "many zeros": request(
            gzip.compress(bytes(100_000_000), 9), JSON, "Content-Encoding: gzip"
        ),
        "gzipped twice": request(
            gzip.compress(gzip.compress(form)), FORM, "Content-Encoding: gzip, gzip"
        ),
        "gzip that is none": request(b"a" * 100, FORM, "Content-Encoding: gzip"),
        "brotli": request(b"a" * 100, FORM, "Content-Encoding: br"),
        "gzipped for a page": request(
            gzip.compress(form), FORM, "Content-Encoding: gzip", path="/", method="GET"
        ),
    }


def heads() -> dict[str, bytes]:
    letters, hops = "a" * LINE, "1," * (LINE // 2)
    return {
        "many headers": request(b"", JSON, *(f"A{n}: b" for n in range(100_000))),
        "large headers": request(b"", JSON, *(f"A{n}: {letters}" for n in range(120))),
        "one large header": request(b"", JSON, "A: " + "a" * 900_000),
        "a long path": request(path="/api/" + "a/" * (PATH // 2)),
        "slashes": request(path="/" * PATH),
        "an encoded path": request(path="/" + "%41" * (PATH // 3)),
        "a long query": request(path="/?" + "a=1&" * (PATH // 4), method="GET"),
        "a longer path": request(path="/" + "a" * 900_000),
        "many hops": request(b"", JSON, *[f"X-Forwarded-For: {hops}"] * 100),
        "many forwarded": request(
            b"", JSON, *["Forwarded: " + "for=1;host=a," * (LINE // 13)] * 100
        ),
        "many hosts": request(b"", JSON, *[f"X-Forwarded-Host: {hops}"] * 100),
        "parameters": request(b"a", "multipart/form-data" + ";" * LINE),
        "quotes": request(b"a", 'multipart/form-data;"' + ";" * LINE),
        "a long boundary": request(
            filled(b"--" + letters.encode() + b"\r\n"),
            f"multipart/form-data; boundary={letters}",
        ),
        "a long token": request(b"", JSON, f"Auth-Token: {letters}"),
        "a token of dots": request(b"", JSON, "Auth-Token: " + "." * LINE),
        "a token that is no text": request(b"", JSON, "Auth-Token: \udcff"),
        "an API key that is no text": request(b"", JSON, "Api-Key: \udcff"),
        "tags": request(
            b"", JSON, "If-None-Match: " + '"a",' * (LINE // 4), path="/", method="GET"
        ),
        "ranges": request(
            *(b"", JSON, "Range: bytes=" + "9" * LINE + "-"),
            path="/gifts/rose.png",
            method="GET",
        ),
        "cookies": request(b"", JSON, "Cookie: " + "a=b;" * (LINE // 4)),
    }


def streams() -> dict[str, bytes]:
    chunks = ("Transfer-Encoding: chunked",)
    get = request(path="/healthz", method="GET")
    return {
        "chunks of a byte": request(chunked(filled(b"a"), 1), JSON, *chunks),
        "fields in chunks": request(chunked(filled(b"a=1&"), 4), FORM, *chunks),
        "chunks with names": request(
            chunked(filled(b"a", SIZE // 100), 1, b";" + b"b" * 200), JSON, *chunks
        ),
        "chunks nobody reads": request(
            chunked(filled(b"a"), 1), JSON, "Content-Encoding: gzip", *chunks
        ),
        "chunks that do not end": request(chunked(b"a" * 3_000_000, 7), JSON, *chunks),
        "far too much": request(b"a" * 10_000_000),
        "many requests at once": get * 5_000,
        "many calls at once": request(b"{}") * 2_000,
        "no request": filled(b"\x16\x03\x01\x02"),
        "empty lines": filled(b"\r\n"),
        "a body for a page": request(filled(b"a"), path="/", method="GET"),
        "a body for nobody": request(filled(b"a"), path="/", method="PUT"),
        "a body for a preflight": request(filled(b"a"), method="OPTIONS"),
    }


def all_of_them() -> dict[str, bytes]:
    """For the public listener."""
    return {
        **{f"JSON: {name}": request(body) for name, body in jsons().items()},
        **{
            f"JSON within the limits: {name}": request(body)
            for name, body in jsons_within_the_limits().items()
        },
        **{f"form: {name}": request(body, FORM) for name, body in forms().items()},
        **{
            f"form within the limits: {name}": request(body, FORM)
            for name, body in forms_within_the_limits().items()
        },
        **{f"parts: {n}": request(body, PARTS) for n, body in multiparts().items()},
        "parts: nearly a megabyte": request(part() * 19_000 + b"--x--\r\n", PARTS),
        **{f"packed: {name}": raw for name, raw in packed().items()},
        **{f"head: {name}": raw for name, raw in heads().items()},
        **{f"stream: {name}": raw for name, raw in streams().items()},
    }
