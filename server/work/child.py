"""A process that is kept running: started, watched, started again, and never outliving us."""

import ctypes
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

SET_PDEATHSIG = 1
"""Linux: the signal that a process gets when its parent ends, by whatever means."""

STEADY = 10.0
"""Seconds after which a process counts as having run well."""

FIRST, LONGEST = 0.5, 30.0
"""Seconds before another start after a quick end, doubling."""

log = structlog.get_logger("server.work")


class Child:
    """One command, and how often it has ended too soon."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """``look`` starts it."""
        self.name = name
        self.failures = 0
        self._command, self._environment = list(command), dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._due = 0.0
        self._tie = _find_tie()

    @property
    def pid(self) -> int | None:
        """Of the process, if there is one."""
        return self._process.pid if self._process else None

    def look(self) -> int | None:
        """Start it if it is time to; returns its exit code once when it has ended."""
        if self._process is None:
            if time.monotonic() >= self._due:
                self._start()
            return None
        code = self._process.poll()
        if code is None:
            return None
        lasted = time.monotonic() - self._started
        self.failures = 0 if lasted > STEADY else self.failures + 1
        pause = min(LONGEST, FIRST * 2.0 ** (self.failures - 1)) if self.failures else 0.0
        self._process, self._due = None, time.monotonic() + pause
        log.warning("process ended", name=self.name, code=code, lasted=round(lasted, 1))
        return code

    def send(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def wait(self, seconds: float) -> None:
        """Let it end by itself for so long, and not longer."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            log.warning("process killed", name=self.name)
            self._process.kill()
            self._process.wait()
        self._process = None

    def _start(self) -> None:
        # a session of its own: Ctrl-C is for us, and we tell it
        self._process = subprocess.Popen(  # noqa: S603  our own commands
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=self._tie,  # noqa: PLW1509  there are no other threads here
        )
        self._started = time.monotonic()
        log.info("process started", name=self.name, pid=self._process.pid)


def _find_tie() -> Callable[[], object]:
    """What a new process does first: tie its life to ours."""
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(SET_PDEATHSIG, signal.SIGKILL)
