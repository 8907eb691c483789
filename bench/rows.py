"""A library of a million rows: how long status, the doctor and the looks for work take."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import large
from bench.table import megabytes, table
from library import (
    counts,
    doctor,
    files,
    images,
    indexed,
    meta,
    spaces,
    status,
    status_text,
    vectors,
)
from library.checks.finding import Patient
from library.database import PAGE_BYTES, Database
from library.migrations import MIGRATIONS
from library.settings import Settings, load_settings
from library.spaces import Space

ROWS = 1_000_000
DIM = 512
_PAGES = (4_096, 8_192, 16_384, 32_768)
_PAGE_ROWS = 50_000
_COMMITS, _COMMIT = 100, 16
_LEAST_FREE = 2_000_000_000
_ELSEWHERE = ("index", "model")
"""Checks that ask other processes, whose own measurements they are."""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds: on the wall's clock, and of the processor, which others cannot lengthen as much."""

    seconds: float
    processor: float


def rows_section(work: Path) -> str:
    """Make the library, or take the one that is there, and time each look at it."""
    if shutil.disk_usage(work).free < 2 * ROWS * 4 * DIM + _LEAST_FREE:
        return f"## A million rows\n\nNot measured: there was no room for {ROWS:,} vectors.\n"
    settings = load_settings({"DATA_DIR": str(work / f"rows-{ROWS}")})
    _library(settings)
    with closing(Database(settings.database_path)) as database:
        timed = [
            ("status", _time(lambda: list(status_text.lines(status.look(settings, database))))),
            *_looks(database, ""),
            *_behind(database),
            *_checks(settings, database),
        ]
    slowest, longest = max(timed, key=lambda item: item[1].processor)
    size = megabytes(settings.database_path.stat().st_size)
    rows = [[name, f"{took.seconds:.2f} s", f"{took.processor:.2f} s"] for name, took in timed]
    return (
        "## A million rows\n\n"
        f"{ROWS:,} files, pictures, thumbnails and vectors of {DIM} dimensions, {size}. Of a\n"
        "thousand files one is missing, one damaged, one without a vector. The doctor's checks of\n"
        "index and model ask other processes and are left out. The machine was not ours alone, so\n"
        "the processor's time is given too; by it the slowest is "
        f"{slowest}, {longest.processor:.2f} s.\n\n"
        f"{table(('look', 'time', 'processor'), rows)}\n\n"
        f"SQLite's pages, in libraries of {_PAGE_ROWS:,} rows; new ones are made with "
        f"{PAGE_BYTES:,} bytes.\n"
        f"A commit is one of {_COMMIT} pictures, as a crawl makes them; times are the "
        "processor's.\n\n"
        f"{table(('bytes a page', 'file', 'a commit', 'read all vectors'), list(_pages(work)))}\n"
    )


def _library(settings: Settings) -> None:
    """Made once for a schema: it takes minutes."""
    complete, schema = settings.data_dir / "complete", repr(MIGRATIONS)
    if not complete.exists() or complete.read_text(encoding="utf-8") != schema:
        shutil.rmtree(settings.data_dir, ignore_errors=True)
        large.build(settings.database_path, ROWS, DIM)
        with closing(Database(settings.database_path)) as database:
            large.link_thumbnails(database, settings.thumbnail_dir)
        complete.write_text(schema, encoding="utf-8")


def _looks(database: Database, state: str) -> Iterator[tuple[str, Took]]:
    """The library's own queries."""
    connection = database.connection
    space = meta.space(connection)
    assert space
    looks: dict[str, Callable[[], object]] = {
        "counts": lambda: counts.count(connection, space),
        "files to read, counted": lambda: files.count_work(connection, space.id, [large.ROOT]),
        "files to read, the first": lambda: next(
            files.work(connection, space.id, [large.ROOT]), None
        ),
        "vectors to index, counted": lambda: indexed.count_lacking(connection, space, 1),
        "vectors to index, the first": lambda: indexed.first_lacking(connection, space, 0),
        "the newest vector": lambda: vectors.newest(connection, space),
        "every failure": lambda: files.failures(connection),
        "60 recent pictures": lambda: images.recent(connection, 60),
    }
    for name, look in looks.items():
        yield name + state, _time(look)


def _behind(database: Database) -> Iterator[tuple[str, Took]]:
    """The same while 1% is to be read and indexed, which is put back afterwards."""
    connection = database.connection
    connection.execute("BEGIN")
    try:
        large.lose_bare(connection)
        yield from _looks(database, ", what has no vector is gone")
        large.leave_work(connection)
        yield from _looks(database, ", 1% to do")
    finally:
        connection.execute("ROLLBACK")


def _checks(settings: Settings, database: Database) -> Iterator[tuple[str, Took]]:
    patient = Patient(settings, database)
    for check in (*doctor.database_checks(patient), *doctor.CHECKS):
        if check.name not in _ELSEWHERE:
            yield f"doctor: {check.name}", _time(partial(check.look, patient))


def _pages(work: Path) -> Iterator[list[str]]:
    """File size, commits and a scan by the size of pages."""
    for page_bytes in _PAGES:
        path = work / f"library-pages-{page_bytes}" / "library.sqlite"
        shutil.rmtree(path.parent, ignore_errors=True)
        large.build(path, _PAGE_ROWS, DIM, page_bytes)
        size = path.stat().st_size
        with closing(Database(path)) as database:
            space = spaces.spaces(database.connection)[0]
            commit = _commit_seconds(database, space)
            scan = _time(partial(_read_all, database, space)).processor
        shutil.rmtree(path.parent)
        yield [f"{page_bytes:,}", megabytes(size), f"{1000 * commit:.1f} ms", f"{scan:.2f} s"]


def _commit_seconds(database: Database, space: Space) -> float:
    """The median of many."""
    return statistics.median(
        _time(partial(large.commit, database, space, 1 + number * _COMMIT, _COMMIT)).processor
        for number in range(_COMMITS)
    )


def _read_all(database: Database, space: Space) -> None:
    last = 0
    while ids := vectors.after(database.connection, space, last, 4_096).ids:
        last = ids[-1]


def _time(action: Callable[[], object]) -> Took:
    started, processor = time.perf_counter(), time.process_time()
    action()
    return Took(time.perf_counter() - started, time.process_time() - processor)
