"""Events: the paths below some folders that something happens to, as the system tells them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Sequence

from watchfiles import watch

# Events are handed over when there was none for _STEP_MS, at the latest after _GROUP_MS; where
# none come, an empty list is, every _TICK_MS.
_STEP_MS, _GROUP_MS, _TICK_MS = 100, 400, 300
_SECONDS_BETWEEN_CRAWLS = 30.0
_SECONDS_TO_SETTLE = 1.0


def events(
    folders: Sequence[bytes], stopped: threading.Event, say: Callable[[str], None]
) -> Generator[list[bytes], None, None]:
    """Lists of paths, empty ones meanwhile; ends when `stopped` is set, or a crawl has to look.

    A crawl has to look soon after something of which nothing can be told, such as a file whose
    name is no UTF-8, and every half minute where folders cannot be watched, which is said.
    """
    began = False
    try:
        for paths in _watched(folders, stopped) if folders else ():
            began = True
            yield paths
    except (OSError, RuntimeError, UnicodeError) as error:
        if began:
            stopped.wait(_SECONDS_TO_SETTLE)
            return
        say(_not_watched(error))
    if not began:
        until = time.monotonic() + _SECONDS_BETWEEN_CRAWLS
        while time.monotonic() < until and not stopped.is_set():
            yield []
            stopped.wait(_TICK_MS / 1000)


def _watched(
    folders: Sequence[bytes], stopped: threading.Event
) -> Generator[list[bytes], None, None]:
    try:
        yield from _changes(folders, stopped, past_locked_folders=False)
    except PermissionError:
        yield from _changes(folders, stopped, past_locked_folders=True)


def _changes(
    folders: Sequence[bytes], stopped: threading.Event, past_locked_folders: bool
) -> Generator[list[bytes], None, None]:
    for changes in watch(
        *map(os.fsdecode, folders),
        watch_filter=None,
        step=_STEP_MS,
        debounce=_GROUP_MS,
        rust_timeout=_TICK_MS,
        yield_on_timeout=True,
        stop_event=stopped,
        ignore_permission_denied=past_locked_folders,  # and with it every other error
    ):
        yield [os.fsencode(path) for _, path in changes]


def _not_watched(error: Exception) -> str:
    why = str(error)
    if "limit" in why:
        why = (
            "they are more than the system will watch; on Linux "
            "`sudo sysctl fs.inotify.max_user_watches=1048576` raises the limit"
        )
    seconds = f"{_SECONDS_BETWEEN_CRAWLS:.0f} seconds"
    return f"The folders cannot be watched, and are crawled every {seconds} instead ({why})."
