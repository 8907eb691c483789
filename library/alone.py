"""Alone: nobody else works with a library, for as long as something is done to all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from library.crawl_lock import CrawlLock
from library.errors import IndexBusyError
from library.index_files import IndexFiles


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Hold the library in `data_dir`: no crawl begins and no index is opened meanwhile.

    Raises CrawlBusyError or IndexBusyError while a crawl or the site works with the library.
    """
    files = IndexFiles(data_dir)
    lock = FileLock(files.lock, timeout=0)
    with CrawlLock(data_dir):
        try:
            lock.acquire()
        except Timeout:
            raise IndexBusyError(
                f"the library is in use by {files.owner()}: stop it first"
            ) from None
        try:
            yield
        finally:
            lock.release()
