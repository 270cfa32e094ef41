"""Our programs in Go: the other yardstick, and a client that costs less than what it
measures."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent / "go"


@dataclass(frozen=True, slots=True)
class Programs:
    server: Path
    load: Path
    fixed: Path


@contextlib.contextmanager
def built() -> Iterator[Programs | None]:
    """None where there is no Go toolchain."""
    if shutil.which("go") is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="bench-go-") as name:
        build = ["go", "build", "-o", f"{name}/", "./..."]
        subprocess.run(build, cwd=SOURCE, check=True)
        yield Programs(*(Path(name) / one for one in ("server", "load", "fixed")))
