"""Vectors in SQLite -> ChromaDB, when no other process holds the index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crawler.progress import Meter
from library.database import Database
from library.index import VectorIndex
from library.models import Progress
from library.vectors import Space


def push(
    data_dir: Path,
    database: Database,
    space: Space,
    report: Callable[[Progress], None],
    cancelled: Callable[[], bool],
) -> None:
    """Bring the index in step with SQLite. Raises IndexBusyError when another process has it."""
    index = VectorIndex(data_dir, database, space, "a crawl")
    try:
        meter = Meter("index", index.missing(), report)
        index.push(cancelled, meter.reach)
        meter.end()
    finally:
        index.close()
