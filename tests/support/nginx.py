"""One of our files for nginx, in a folder of the test."""

from pathlib import Path

#: What Debian's own nginx.conf does around it.
AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/ours.conf;
}}
"""


def configured(folder: Path, text: str) -> Path:
    """What to start it with."""
    (folder / "ours.conf").write_text(text)
    around = folder / "nginx.conf"
    around.write_text(AROUND.format(folder=folder))
    return around
