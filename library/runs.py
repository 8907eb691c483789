"""The table of crawls: which one was cut off, and what each came to."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
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


def start(connection: sqlite3.Connection, started: float) -> Run:
    """Record a crawl that begins at `started` (Unix time)."""
    cursor = connection.execute("INSERT INTO runs (started) VALUES (?)", (started,))
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


def set_listed(connection: sqlite3.Connection, run_id: int) -> None:
    """Record, in the transaction that applies it, that a crawl's file list was applied."""
    connection.execute("UPDATE runs SET listed = 1 WHERE id = ?", (run_id,))


def finish(connection: sqlite3.Connection, run_id: int, summary: Mapping[str, object]) -> None:
    """Record that a crawl came to its end, and with what."""
    connection.execute(
        "UPDATE runs SET finished = ?, summary = ? WHERE id = ?",
        (time.time(), json.dumps(summary), run_id),
    )
