"""How close a picture has to be to count as a match: a line for each space, kept in `meta`."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass

from library.spaces import Space


@dataclass(frozen=True, slots=True)
class Lines:
    """Cosines below which an answer is a weak one."""

    words: float
    """For searches by words."""
    picture: float | None
    """For searches by a picture; None where there are too few pictures to tell."""
    vectors: int
    """How many vectors the space had when these were found."""
    recipe: str
    """How they were found: lines of another recipe are not comparable."""


def get(connection: sqlite3.Connection, space: Space) -> Lines | None:
    """The lines of a space, where they have been found."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_key(space),)).fetchone()
    return None if row is None else Lines(**json.loads(row[0]))


def put(connection: sqlite3.Connection, space: Space, lines: Lines) -> None:
    """Record the lines of a space."""
    value = json.dumps(asdict(lines))
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_key(space), value))


def _key(space: Space) -> str:
    return f"lines/{space.key}"
