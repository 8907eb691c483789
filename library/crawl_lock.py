"""CrawlLock: one crawl at a time in a library, and whose it is."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from library.errors import CrawlBusyError


class CrawlLock:
    """Held for the time of a crawl; entering raises CrawlBusyError while another has it."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._lock = FileLock(data_dir / "crawl.lock", timeout=0)

    def __enter__(self) -> CrawlLock:
        try:
            self._lock.acquire()
        except Timeout:
            raise CrawlBusyError(
                f"another crawl is at work in {self._data_dir}: "
                "wait for its end, or name another library with --data"
            ) from None
        _owner_file(self._data_dir).write_text(str(os.getpid()), encoding="ascii")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _owner_file(self._data_dir).unlink(missing_ok=True)
        self._lock.release()


def crawling_process(data_dir: Path) -> int | None:
    """The id of the process whose crawl is at work in a library, or None.

    Asks without touching the lock, which would turn away a crawl that starts at that moment.
    """
    try:
        process = int(_owner_file(data_dir).read_text(encoding="ascii"))
        os.kill(process, 0)
    except (OSError, ValueError):  # no crawl, or one that was killed
        return None
    return process


def _owner_file(data_dir: Path) -> Path:
    return data_dir / "crawl.open"
