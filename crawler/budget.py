"""PixelBudget: how many decoded pixels the readers may hold at once, all together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
    """Lets decodes through while their sizes fit below `megapixels`, a larger one alone."""

    def __init__(self, megapixels: float) -> None:
        self._megapixels = megapixels
        self._used = 0.0
        self._changed = threading.Condition()

    @contextmanager
    def reserve(self, megapixels: float) -> Iterator[None]:
        """Wait for room, hold it for the block."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._used == 0 or self._used + megapixels <= self._megapixels
            )
            self._used += megapixels
        try:
            yield
        finally:
            with self._changed:
                self._used -= megapixels
                self._changed.notify_all()
