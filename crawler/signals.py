"""Signals that ask what is at work to end."""

from __future__ import annotations

import signal
import threading
from types import FrameType


def asked_to_stop() -> threading.Event:
    """Set once Ctrl-C or SIGTERM comes; a second Ctrl-C does not ask. For the main thread."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return stopped
