"""The table of crawls: which one was cut off, and what each came to."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping


def start(connection: sqlite3.Connection, started: float) -> int:
    """Record a crawl that began at `started` (Unix time); gives its id."""
    cursor = connection.execute("INSERT INTO runs (started) VALUES (?)", (started,))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def cut_off(connection: sqlite3.Connection) -> tuple[int, float] | None:
    """The id and start of the newest crawl when it never came to its end, else None."""
    row = connection.execute(
        "SELECT id, started, finished FROM runs ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return None if row is None or row[2] is not None else (row[0], row[1])


def finish(connection: sqlite3.Connection, run_id: int, summary: Mapping[str, object]) -> None:
    """Record that a crawl came to its end, and with what."""
    connection.execute(
        "UPDATE runs SET finished = ?, summary = ? WHERE id = ?",
        (time.time(), json.dumps(summary), run_id),
    )
