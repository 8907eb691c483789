"""What a library remembers of itself: the model it was made with."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import astuple, dataclass

from library import spaces
from library.spaces import Space

AUTO = "auto"
_COMMIT = r"@([0-9a-f]{40})/"


def model(connection: sqlite3.Connection) -> str | None:
    """The model that the library was last used with."""
    return _value(connection, "model")


def space_key(connection: sqlite3.Connection) -> str | None:
    """The key of the space that this model's vectors are in."""
    return _value(connection, "space")


def space(connection: sqlite3.Connection) -> Space | None:
    """The space in use; the one that was added last where none is recorded; None without any."""
    known = spaces.spaces(connection)
    in_use = [space for space in known if space.key == space_key(connection)]
    return next(iter([*in_use, *reversed(known)]), None)


def set_model(connection: sqlite3.Connection, name: str, space_key: str) -> None:
    """Record the model in use, and the space that its vectors are in."""
    connection.executemany(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)", (("model", name), ("space", space_key))
    )


@dataclass(frozen=True, slots=True)
class KnownEncoder:
    """What a loaded model said of itself, in the words of mlx_clip's Encoder."""

    name: str
    space: str
    dim: int


def encoder(connection: sqlite3.Connection, asked: str) -> KnownEncoder | None:
    """What came of loading a model, when it was asked for in the very same words."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'encoder'").fetchone()
    known = json.loads(row[0]) if row else {}
    return KnownEncoder(*known["is"]) if known.get("asked") == asked else None


def set_encoder(connection: sqlite3.Connection, asked: str, known: KnownEncoder) -> None:
    """Record what came of loading a model."""
    value = json.dumps({"asked": asked, "is": astuple(known)})
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('encoder', ?)", (value,))


def pinned(connection: sqlite3.Connection, name: str) -> str:
    """A model's name with the commit that the library's vectors are of, where they name one.

    So a library keeps its vectors when the name on the Hub comes to mean another commit.
    """
    commits = [
        match.group(1)
        for space in spaces.spaces(connection)
        if (match := re.match(re.escape(name) + _COMMIT, space.key))
    ]
    return f"{name}@{commits[-1]}" if commits else name


def library_id(connection: sqlite3.Connection) -> str:
    """A name that no other library has, drawn when it is first asked for."""
    connection.execute(
        "INSERT OR IGNORE INTO meta VALUES ('library_id', lower(hex(randomblob(6))))"
    )
    row = connection.execute("SELECT value FROM meta WHERE key = 'library_id'").fetchone()
    return str(row[0])


def _value(connection: sqlite3.Connection, key: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])
