"""What a library remembers of itself: the model it was made with."""

from __future__ import annotations

import sqlite3

AUTO = "auto"
_DEFAULT_MODEL = "starter"


def resolve_model(connection: sqlite3.Connection, wanted: str) -> str:
    """The model to use for a CLIP_MODEL setting, recorded in the library.

    `auto` is resolved once, when a library is made, and stays; any other name is the user's word
    and is recorded in its place.
    """
    recorded = _recorded(connection)
    model = (recorded or _DEFAULT_MODEL) if wanted == AUTO else wanted
    if model != recorded:
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('model', ?)", (model,))
    return model


def _recorded(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = 'model'").fetchone()
    return None if row is None else str(row[0])


def library_id(connection: sqlite3.Connection) -> str:
    """A name that no other library has, drawn when it is first asked for."""
    connection.execute(
        "INSERT OR IGNORE INTO meta VALUES ('library_id', lower(hex(randomblob(6))))"
    )
    row = connection.execute("SELECT value FROM meta WHERE key = 'library_id'").fetchone()
    return str(row[0])
