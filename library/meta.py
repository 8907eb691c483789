"""What a library remembers of itself: the model it was made with."""

from __future__ import annotations

import sqlite3


def model(connection: sqlite3.Connection) -> str | None:
    """The model that `auto` came to in this library, or None while that is open."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'model'").fetchone()
    return None if row is None else str(row[0])


def set_model(connection: sqlite3.Connection, name: str) -> None:
    """Record the model that this library uses from now on."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('model', ?)", (name,))
