"""Priority: work that nobody waits for gives way to work that somebody does."""

from __future__ import annotations

import os
import sys
import threading

_NICENESS = 10


def give_way() -> None:
    """Have the calling thread run when others of this process need no processor.

    A crawl in the site's own process would take two thirds of it from every search. Only on Linux
    does a thread have a niceness of its own (setpriority(2)); where it does not, the model that
    takes the time runs on a GPU.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
