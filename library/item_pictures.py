"""The table of item_pictures: what importers fetched, by its number there and by its content."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture of an item: its number where it came from, and its content or why it has none."""

    remote_id: str
    content_hash: bytes | None
    page_url: str | None = None
    prompt: str | None = None
    failure: str | None = None


_FETCHED = "SELECT remote_id, content_hash, page_url, prompt, failure FROM item_pictures"


def add(connection: sqlite3.Connection, item_id: int, fetched: Fetched) -> None:
    """Record a picture of an item; one that is recorded stays as it is."""
    connection.execute(
        """INSERT OR IGNORE INTO item_pictures
            (item_id, remote_id, content_hash, page_url, prompt, failure)
        VALUES (?, ?, ?, ?, ?, ?)""",
        (
            item_id,
            fetched.remote_id,
            fetched.content_hash,
            fetched.page_url,
            fetched.prompt,
            fetched.failure,
        ),
    )


def find(connection: sqlite3.Connection, remote_id: str) -> Fetched | None:
    """What is known of a number, of whatever item; None while it was not fetched."""
    row = connection.execute(f"{_FETCHED} WHERE remote_id = ? LIMIT 1", (remote_id,)).fetchone()
    return None if row is None else Fetched(*row)


def has_content(connection: sqlite3.Connection, content_hash: bytes) -> bool:
    """Whether a picture of this content was fetched."""
    row = connection.execute(
        "SELECT 1 FROM item_pictures WHERE content_hash = ? LIMIT 1", (content_hash,)
    ).fetchone()
    return row is not None


def of_item(connection: sqlite3.Connection, item_id: int) -> list[Fetched]:
    """The pictures of an item, damaged ones among them, in the order in which they came."""
    rows = connection.execute(f"{_FETCHED} WHERE item_id = ? ORDER BY id", (item_id,))
    return [Fetched(*row) for row in rows]


def count(connection: sqlite3.Connection, item_id: int) -> int:
    """How many pictures of an item are recorded, damaged ones among them."""
    (number,) = connection.execute(
        "SELECT count(*) FROM item_pictures WHERE item_id = ?", (item_id,)
    ).fetchone()
    return int(number)


def asked(connection: sqlite3.Connection, item_id: int) -> int:
    """How many of an item's pictures were asked for when the last of them was there; 0 if never."""
    (number,) = connection.execute(
        "SELECT pictures_asked FROM items WHERE id = ?", (item_id,)
    ).fetchone()
    return int(number)


def set_asked(connection: sqlite3.Connection, item_id: int, number: int) -> None:
    """Record that as many of an item's pictures as this are there, or all it has."""
    connection.execute("UPDATE items SET pictures_asked = ? WHERE id = ?", (number, item_id))
