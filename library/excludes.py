"""The table of excludes: what no crawl of this library looks at, as patterns."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable


def excludes(connection: sqlite3.Connection) -> tuple[bytes, ...]:
    """The patterns that are remembered, in order."""
    rows = connection.execute("SELECT pattern FROM excludes ORDER BY pattern")
    return tuple(pattern for (pattern,) in rows)


def add(connection: sqlite3.Connection, patterns: Iterable[bytes]) -> None:
    """Remember some patterns."""
    connection.executemany(
        "INSERT OR IGNORE INTO excludes VALUES (?)", ((pattern,) for pattern in patterns)
    )


def remove(connection: sqlite3.Connection, patterns: Iterable[bytes]) -> None:
    """Forget some patterns."""
    connection.executemany(
        "DELETE FROM excludes WHERE pattern = ?", ((pattern,) for pattern in patterns)
    )
