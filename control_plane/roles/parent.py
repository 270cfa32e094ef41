"""The small parent of all roles. A role that dies is started again at once, and the
others go on; one SIGTERM drains them all.

It forks after everything is imported and before there is any thread or event loop: a
new start takes no time, and the roles share their memory.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger(__name__)

STOP = {signal.SIGTERM, signal.SIGINT}
SIGNALS = STOP | {signal.SIGCHLD, signal.SIGALRM}
DRAIN = 20.0  # seconds, then they are killed
SHORT_LIFE = 1.0  # seconds: who lived no longer is started again after as many
SOON = 0.001  # seconds; a timer of none would never ring


@dataclass(frozen=True, slots=True)
class Ties:
    """What binds a role to its parent. ``lifeline``: a descriptor that can be read
    once the parent is gone. ``ready``: to be called once the role serves."""

    lifeline: int
    ready: Callable[[], None]


#: Runs until SIGTERM or until the parent is gone; returns the exit code.
Run = Callable[[Ties], int]


@dataclass(frozen=True, slots=True)
class _Child:
    pid: int
    started_at: float
    said: int  # reading end of a pipe: a byte once it serves


@dataclass
class Parent:
    roles: Mapping[str, Run]
    _children: dict[str, _Child] = field(default_factory=dict)
    _served: set[str] = field(default_factory=set)
    _due: dict[str, float] = field(default_factory=dict)

    def run(self) -> int:
        """Until SIGTERM or SIGINT (0), or until a role ends before it ever served:
        then its exit code."""
        # Whatever ends us closes the other end.
        self._lifeline, self._held = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self._due = dict.fromkeys(self.roles, 0.0)
        while True:
            self._start_due()
            told = _wait(min(self._due.values(), default=None))
            failed = self._bury()
            if failed or told in STOP:
                self._drain()
                return failed

    def _start_due(self) -> None:
        now = time.monotonic()
        for name in [name for name, at in self._due.items() if at <= now]:
            del self._due[name]
            self._children[name] = self._start(name)

    def _start(self, name: str) -> _Child:
        said, say = os.pipe()
        os.set_blocking(said, False)
        pid = os.fork()
        if pid == 0:
            self._become(name, say)
        os.close(say)
        return _Child(pid, time.monotonic(), said)

    def _become(self, name: str, say: int) -> None:
        """In the child; never returns."""
        code = 1
        try:
            os.close(self._held)
            # Ctrl-C reaches every process of a terminal; ours is told by its parent.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            code = self.roles[name](Ties(self._lifeline, lambda: _say(say)))
        except Exception:
            log.exception("a role failed", role=name)
        finally:
            os._exit(code)

    def _bury(self) -> int:
        """The exit code of a role that ended before it ever served; else 0."""
        for name, child in list(self._children.items()):
            code = _ended(child.pid)
            if code is None:
                continue
            del self._children[name]
            if _has_said(child.said):
                self._served.add(name)
            os.close(child.said)
            if name not in self._served:
                return code or 1
            self._died(name, child, code)
        return 0

    def _died(self, name: str, child: _Child, code: int) -> None:
        log.error("a role died", role=name, code=code)
        now = time.monotonic()
        lived = now - child.started_at
        self._due[name] = now + (SHORT_LIFE if lived < SHORT_LIFE else 0.0)

    def _drain(self) -> None:
        self._tell(signal.SIGTERM)
        end = time.monotonic() + DRAIN
        while self._remaining() and time.monotonic() < end:
            _wait(end)
        for name in self._children:
            log.error("a role did not end in time", role=name)
        self._tell(signal.SIGKILL)

    def _remaining(self) -> bool:
        for name, child in list(self._children.items()):
            if _ended(child.pid) is not None:
                del self._children[name]
        return bool(self._children)

    def _tell(self, number: signal.Signals) -> None:
        for child in self._children.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, number)


def _wait(until: float | None) -> int:
    """For a signal; SIGALRM comes at ``until``."""
    left = 0.0 if until is None else max(SOON, until - time.monotonic())
    signal.setitimer(signal.ITIMER_REAL, left)
    return signal.sigwait(SIGNALS)


def _ended(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _say(pipe: int) -> None:
    os.write(pipe, b"r")
    os.close(pipe)


def _has_said(pipe: int) -> bool:
    try:
        return bool(os.read(pipe, 1))
    except BlockingIOError:
        return False
