"""Meter: turns counts into Progress, with rate and time left, a few times a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from library.models import Progress

Report = Callable[[Progress], None]

_SECONDS_BETWEEN = 0.1


class Meter:
    """Counts one stage and reports it from its beginning; `total` is None while it is unknown."""

    def __init__(
        self,
        stage: Literal["scan", "read", "index"],
        total: int | None,
        report: Report,
    ) -> None:
        self._stage = stage
        self._total = total
        self._report = report
        self._done = 0
        self._failed = 0
        self._bytes = 0
        self._started = time.monotonic()
        self._reported = 0.0
        report(self._progress(self._started))

    def add(self, done: int, failed: int = 0, size: int = 0) -> None:
        """So many more are done, so many of them failed, and they had `size` bytes."""
        self._failed += failed
        self._bytes += size
        self.reach(self._done + done)

    def reach(self, done: int) -> None:
        """So many are done in all."""
        self._done = done
        now = time.monotonic()
        if now - self._reported >= _SECONDS_BETWEEN:
            self._reported = now
            self._report(self._progress(now))

    def end(self) -> None:
        """Report where the stage ended."""
        self._report(self._progress(time.monotonic()))

    def _progress(self, now: float) -> Progress:
        seconds = now - self._started
        rate = self._done / seconds if seconds > 0 else 0.0
        left = None
        if self._total is not None and rate > 0:
            left = (self._total - self._done) / rate
        return Progress(self._stage, self._done, self._total, self._failed, self._bytes, rate, left)
