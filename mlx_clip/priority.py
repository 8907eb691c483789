"""Priority: batches of pictures, which nobody waits for, give way to what somebody does."""

from __future__ import annotations

import os
import sys
import threading

_NICENESS = 10


def lower_priority() -> None:
    """Have the calling thread run when others of this process need no processor.

    Only for threads that seldom hold Python's lock, or others wait for it as long. Only on Linux
    does a thread have a niceness of its own (setpriority(2)).
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
