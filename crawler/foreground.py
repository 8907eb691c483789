"""Foreground: what somebody waits for, to which a crawl in the same process gives way."""

from __future__ import annotations

import threading

# However many ask: a crawl that stood still would never end.
_LONGEST_SECONDS = 1.0


class Foreground:
    """Requests that are being answered. Methods may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests = 0

    def begin(self) -> None:
        """Somebody waits from now on."""
        with self._changed:
            self._requests += 1

    def end(self) -> None:
        """They have their answer."""
        with self._changed:
            self._requests -= 1
            if not self._requests:
                self._changed.notify_all()

    def give_way(self) -> None:
        """Wait until nobody waits, a second at most. Called between two pictures."""
        with self._changed:
            self._changed.wait_for(lambda: not self._requests, _LONGEST_SECONDS)
