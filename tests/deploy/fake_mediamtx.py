"""Stands in for the program of MediaMTX: says its version, or serves its API."""

import http.server
import json
import signal
import sys
from pathlib import Path

import yaml


class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"itemCount": 0, "pageCount": 0, "items": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The API's calls are not logged."""


def main() -> None:
    if sys.argv[1] == "--version":
        print("v1.20.1")
        return
    configuration = yaml.safe_load(Path(sys.argv[1]).read_text())
    print("INF MediaMTX v1.20.1", flush=True)
    if configuration["rtmpAddress"] == ":1":
        print("ERR listen tcp :1: bind: permission denied", flush=True)
        raise SystemExit(1)
    host, _, port = configuration["apiAddress"].rpartition(":")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    http.server.ThreadingHTTPServer((host, int(port)), Api).serve_forever()


if __name__ == "__main__":
    main()
