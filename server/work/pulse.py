"""Signs of life: the process is there, and its device does what it is asked."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from threading import Thread
from typing import NoReturn

import sqlalchemy as sa
import structlog

from pipelines.errors import DeviceFailed, ReframeError
from server.jobs.workers import Beat, beat

CHECK_EVERY = 10.0
"""Seconds between two small operations on the device."""

log = structlog.get_logger("server.work")


class Pulse:
    """Writes the worker's row; a device that hangs shows by its last answer growing old."""

    def __init__(
        self,
        engine: sa.Engine,
        sign: Beat,
        probe: Callable[[], None],
        abandon: Callable[[], NoReturn],
    ) -> None:
        """``probe`` has the device do something; ``abandon`` ends a process that no longer can."""
        self._engine, self._sign = engine, replace(sign, pid=os.getpid())
        self._probe, self._abandon = probe, abandon

    def check(self) -> None:
        """Have the device do something."""
        try:
            self._probe()
        except DeviceFailed:
            log.exception("device failed")
            self._abandon()
        except ReframeError as error:
            self._sign = replace(self._sign, trouble=error.detail)
        except Exception:
            log.exception("the device's check failed")
            self._sign = replace(self._sign, trouble="the device's check failed")
        else:
            self._sign = replace(self._sign, checked_at=datetime.now(UTC), trouble=None)

    def beat(self) -> None:
        """Write the sign down; raises DBAPIError."""
        beat(self._engine, self._sign)

    def start(self) -> None:
        """Check again and again, in a thread of its own: a device may hang."""
        Thread(target=self._run, name="pulse", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(CHECK_EVERY)
            self.check()
