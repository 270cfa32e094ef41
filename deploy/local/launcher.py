"""Starts a server: ``python launcher.py PARENT SIGNAL UID GID COMMAND…``.

Becomes the user, closes the files that COMMAND will make to all others, asks Linux to
send SIGNAL when PARENT dies (however it dies), and turns into COMMAND. A program of its
own, because code between fork and exec must not run in a process with threads. UID
``-`` keeps the user. macOS has no such request.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(parent: int, signal: int, uid: str, gid: str, command: list[str]) -> None:
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    os.umask(0o077)
    if sys.platform == "linux":  # after setuid, which would clear the request
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal)
    if os.getppid() == parent:  # else it died before we asked
        os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:])
