"""The table of spaces: what makes vectors comparable, that is model, revision and preprocessing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Space:
    """A space as the database knows it. `key` names model, revision and preprocessing."""

    id: int
    key: str
    dim: int

    @property
    def vector_bytes(self) -> int:
        """What a vector takes: float32."""
        return 4 * self.dim


def space(connection: sqlite3.Connection, key: str, dim: int) -> Space:
    """The space with this key, which is added when it is new."""
    connection.execute("INSERT OR IGNORE INTO spaces (key, dim) VALUES (?, ?)", (key, dim))
    row = connection.execute("SELECT id, key, dim FROM spaces WHERE key = ?", (key,)).fetchone()
    return Space(*row)


def spaces(connection: sqlite3.Connection) -> list[Space]:
    """Every space that the library has vectors in."""
    return [Space(*row) for row in connection.execute("SELECT id, key, dim FROM spaces")]
