"""Filters over 200,000 files: how long it takes to say which pictures they leave."""

from __future__ import annotations

import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench import large
from bench.table import table
from library.choices import choices
from library.database import Database
from library.matching import matching
from search.parser import parse

ROWS = 200_000
_TIMES = 7
_QUERIES = (
    "type:gif",
    "-type:gif",
    "camera:canon",
    "size:>2mp",
    "after:2012 before:2015",
    "near:48.1,11.5,300km",
    "folder:0007",
    '"img_00012"',
    '"여행"',
    '"grüße"',
    '-"grüße"',
    'folder:001 "grüße" camera:canon after:2012 -type:gif',
)
# Without a library's usual runs of the same day, place and camera: the worst order for a scan.
_SPREAD = """UPDATE images SET
    format = CASE id % 10 WHEN 0 THEN 'GIF' WHEN 1 THEN 'PNG' ELSE 'JPEG' END,
    camera = CASE WHEN id % 3 THEN (CASE id % 2 WHEN 0 THEN 'Canon EOS ' ELSE 'Nikon D' END)
        || (id * 7919 % 20) END,
    width = 500 + id * 7919 % 4000,
    taken_at = CASE WHEN id % 4 THEN printf('%04d-%02d-01T10:00:00',
        2000 + id * 7919 % 24, 1 + id % 12) END,
    latitude = (id * 7919 % 180000) / 1000.0 - 90,
    longitude = (id * 104729 % 360000) / 1000.0 - 180"""
_RENAME = (
    "UPDATE files SET path = CAST(replace(CAST(path AS TEXT), 'IMG', ?) AS BLOB) WHERE id % 3 = ?"
)


def filters_section(work: Path) -> str:
    """Make the library and time each query's filters, and what the controls are filled with."""
    path = work / "library-filters" / "library.sqlite"
    shutil.rmtree(path.parent, ignore_errors=True)
    large.build(path, ROWS, dim=4)
    with closing(Database(path)) as database:
        _spread(database)
        connection = database.connection
        rows = [_row(connection, query) for query in _QUERIES]
        took = _median(lambda: choices(connection))
    shutil.rmtree(path.parent)
    return (
        "## Filters\n\n"
        f"{ROWS:,} files and pictures; a third of the names begin with “Grüße” and a third with\n"
        f"“여행”. Medians of {_TIMES}, of\n"
        f"the processor's time. What the controls offer takes {1000 * took:.0f} ms, and is\n"
        "looked for again when files came or went, at most every half minute.\n\n"
        f"{table(('filters', 'pictures', 'processor'), rows)}\n"
    )


def _spread(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute(_SPREAD)
        for name, third in (("Grüße", 1), ("여행", 2)):
            connection.execute(_RENAME, (name, third))


def _row(connection: sqlite3.Connection, query: str) -> list[str]:
    filters = parse(query).filters
    found = len(matching(connection, filters))
    took = _median(lambda: matching(connection, filters))
    return [f"`{query}`", f"{found:,}", f"{1000 * took:.0f} ms"]


def _median(action: Callable[[], object]) -> float:
    """Seconds of the processor, which others cannot lengthen as much as those of the clock."""
    times = []
    for _ in range(_TIMES):
        started = time.process_time()
        action()
        times.append(time.process_time() - started)
    return statistics.median(times)
