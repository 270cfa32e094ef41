"""What a start costs: nobody loads what is not configured."""

import subprocess
import sys

PROBE = "import sys, control_plane.roles.running; print(*sys.modules)"


def test_apples_library_is_not_loaded_for_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}

    assert "control_plane" in loaded
    assert not loaded & {"appstoreserverlibrary", "requests", "limits"}
