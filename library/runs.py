"""The table of crawls: which one was cut off, and what each came to."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Run:
    """A crawl. `started` is Unix time; `listed`: its file list has reached the table of files."""

    id: int
    started: float
    listed: bool


@dataclass(frozen=True, slots=True)
class PastRun:
    """The newest crawl: Unix times, and what it came to; both None until it came to its end."""

    started: float
    finished: float | None
    summary: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class RunRecord(PastRun):
    """A crawl, whichever, with what it was asked."""

    id: int
    roots: tuple[bytes, ...]
    after_vector: int
    """The newest vector when it began: those with a greater id came of it, or of a later one."""


def start(connection: sqlite3.Connection, started: float, roots: Sequence[bytes]) -> Run:
    """Record a crawl through `roots` that begins at `started` (Unix time)."""
    cursor = connection.execute(
        """INSERT INTO runs (started, roots, after_vector)
        VALUES (?, ?, (SELECT coalesce(max(id), 0) FROM vectors))""",
        (started, b"\0".join(roots)),
    )
    assert cursor.lastrowid is not None
    return Run(cursor.lastrowid, started, listed=False)


def cut_off(connection: sqlite3.Connection) -> Run | None:
    """The newest crawl when it never came to its end, else None."""
    row = connection.execute(
        "SELECT id, started, listed, finished FROM runs ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return None if row is None or row[3] is not None else Run(row[0], row[1], bool(row[2]))


def last(connection: sqlite3.Connection) -> PastRun | None:
    """The newest crawl, or None before the first."""
    row = connection.execute(
        "SELECT started, finished, summary FROM runs ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return row and PastRun(row[0], row[1], json.loads(row[2]) if row[2] else None)


def record(connection: sqlite3.Connection, run_id: int) -> RunRecord | None:
    """A crawl, by its number, or None."""
    row = connection.execute(
        "SELECT started, finished, summary, id, roots, after_vector FROM runs WHERE id = ?",
        (run_id,),
    ).fetchone()
    if row is None:
        return None
    started, finished, summary, number, roots, after = row
    paths = tuple(roots.split(b"\0")) if roots else ()
    return RunRecord(started, finished, summary and json.loads(summary), number, paths, after)


def newest(connection: sqlite3.Connection) -> int:
    """The number of the newest crawl, or 0."""
    (number,) = connection.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()
    return int(number)


def set_listed(connection: sqlite3.Connection, run_id: int) -> None:
    """Record, in the transaction that applies it, that a crawl's file list was applied."""
    connection.execute("UPDATE runs SET listed = 1 WHERE id = ?", (run_id,))


def finish(connection: sqlite3.Connection, run_id: int, summary: Mapping[str, object]) -> None:
    """Record that a crawl came to its end, and with what."""
    connection.execute(
        "UPDATE runs SET finished = ?, summary = ? WHERE id = ?",
        (time.time(), json.dumps(summary), run_id),
    )
