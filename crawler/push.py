"""Vectors in SQLite -> ChromaDB, when no other process holds the index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crawler.progress import Meter
from library import counts
from library.database import Database
from library.index_files import IndexFiles
from library.models import Progress
from library.vectors import Space


def push(
    data_dir: Path,
    database: Database,
    space: Space,
    report: Callable[[Progress], None],
    cancelled: Callable[[], bool],
) -> None:
    """Bring the index in step with SQLite. Raises IndexBusyError when another process has it.

    An index that was closed in good order and holds every vector is not even opened: opening
    loads it into memory as a whole.
    """
    now = counts.count(database.connection, space)
    if IndexFiles(data_dir).were_closed() and now.indexed == now.vectors:
        return
    from library.index import VectorIndex  # a second, which a run with nothing to do need not pay

    index = VectorIndex(data_dir, database, space, "a crawl")
    try:
        meter = Meter("index", index.missing(), report)
        index.push(cancelled, meter.reach)
        meter.end()
    finally:
        index.close()
