"""The tables of collections and items: pictures that belong together, and what is known of them.

A folder of folders is a collection, and each of its folders an item: the pictures below it. What an
importer fetched is one too; its items hold pictures by their content.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from library.files import subtree
from library.models import display_path

Source = Literal["folder", "civitai"]


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection. `folder` is the one it was made from, or that its pictures were fetched to."""

    id: int
    name: str
    source: Source
    folder: bytes


@dataclass(frozen=True, slots=True)
class About:
    """What is said of an item where it comes from."""

    name: str
    version: str | None = None
    creator: str | None = None
    base_model: str | None = None
    page_url: str | None = None
    tags: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """The words that a LoRA is called up by."""
    statistics: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """An item, and what is said of it."""

    id: int
    collection_id: int
    about: About


@dataclass(frozen=True, slots=True)
class Listed(Item):
    """An item in a list, with the number of its pictures that are there."""

    pictures: int


_ITEM = """SELECT items.id, collection_id, name, version, creator, base_model, page_url, tags,
    words, statistics FROM items"""


def pairs_where(condition: str) -> str:
    """SQL that gives item_id and image_id of the pictures that are there, of some items.

    The condition is on the table of items. In both parts, as SQLite looks at all files else.
    """
    return f"""SELECT items.id AS item_id, files.image_id AS image_id
        FROM items JOIN files ON path >= first_path AND path < end_path
        WHERE files.image_id IS NOT NULL AND missing_since IS NULL AND {condition}
        UNION SELECT items.id, images.id
        FROM items JOIN item_pictures ON item_id = items.id JOIN images USING (content_hash)
        WHERE {condition} AND EXISTS (SELECT 1 FROM files
            WHERE files.image_id = images.id AND missing_since IS NULL)"""


def remember(
    connection: sqlite3.Connection, name: str, source: Source, folder: bytes
) -> Collection:
    """The collection of a folder, which is added when it is new; a name in use gets a number."""
    taken = {
        known
        for (known,) in connection.execute(
            "SELECT name FROM collections WHERE folder != ?", (folder,)
        )
    }
    free, number = name, 2
    while free in taken:
        free, number = f"{name} {number}", number + 1
    connection.execute(
        "INSERT OR IGNORE INTO collections (name, source, folder) VALUES (?, ?, ?)",
        (free, source, folder),
    )
    row = connection.execute(
        "SELECT id, name, source, folder FROM collections WHERE folder = ?", (folder,)
    ).fetchone()
    return Collection(*row)


def collections(connection: sqlite3.Connection) -> list[Collection]:
    """Every collection, by its name."""
    rows = connection.execute("SELECT id, name, source, folder FROM collections ORDER BY name")
    return [Collection(*row) for row in rows]


def named(connection: sqlite3.Connection, name: str) -> Collection | None:
    """The collection of a name, or None."""
    return next((one for one in collections(connection) if one.name == name), None)


def refresh(connection: sqlite3.Connection) -> None:
    """Make the items of every collection of folders those that its folder has now.

    Each folder directly in it with files below. Call it in a transaction.
    """
    for one in collections(connection):
        if one.source == "folder":
            rows = connection.execute(
                "SELECT path FROM folders WHERE path >= ? AND path < ?", subtree(one.folder)
            )
            first, _ = subtree(one.folder)
            _set_folders(
                connection, one, {first + path[len(first) :].split(b"/")[0] for (path,) in rows}
            )


def _set_folders(
    connection: sqlite3.Connection, collection: Collection, folders: set[bytes]
) -> None:
    """What was an item and is no more is forgotten; the others keep their ids."""
    known = connection.execute("SELECT key FROM items WHERE collection_id = ?", (collection.id,))
    connection.executemany(
        "DELETE FROM items WHERE collection_id = ? AND key = ?",
        [(collection.id, key) for (key,) in known if key not in folders],
    )
    connection.executemany(
        """INSERT OR IGNORE INTO items (collection_id, key, name, first_path, end_path)
        VALUES (?, ?, ?, ?, ?)""",
        [
            (collection.id, folder, display_path(os.path.basename(folder)), *subtree(folder))
            for folder in sorted(folders)
        ],
    )


def put_item(connection: sqlite3.Connection, collection: Collection, key: str, about: About) -> int:
    """Record what is said of an imported item, which is added when it is new; gives its id."""
    (item_id,) = connection.execute(
        """INSERT INTO items (collection_id, key, name, version, creator, base_model, page_url,
            tags, words, statistics) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (collection_id, key) DO UPDATE SET name = excluded.name,
            version = excluded.version, creator = excluded.creator,
            base_model = excluded.base_model, page_url = excluded.page_url, tags = excluded.tags,
            words = excluded.words, statistics = excluded.statistics
        RETURNING id""",
        (
            collection.id,
            key.encode(),
            about.name,
            about.version,
            about.creator,
            about.base_model,
            about.page_url,
            json.dumps(about.tags),
            json.dumps(about.words),
            json.dumps(dict(about.statistics or {})),
        ),
    ).fetchone()
    return int(item_id)


def item(connection: sqlite3.Connection, item_id: int) -> Item | None:
    """An item, or None."""
    row = connection.execute(f"{_ITEM} WHERE items.id = ?", (item_id,)).fetchone()
    return None if row is None else Item(*_read(row))


def items(connection: sqlite3.Connection, collection_id: int) -> list[Listed]:
    """The items of a collection, by name, each with how many pictures of it are there."""
    counted = dict(
        connection.execute(
            f"""SELECT item_id, count(*) FROM ({pairs_where("collection_id = :collection")})
            GROUP BY item_id""",
            {"collection": collection_id},
        ).fetchall()
    )
    rows = connection.execute(
        f"{_ITEM} WHERE collection_id = ? ORDER BY name, items.id", (collection_id,)
    )
    return [Listed(*_read(row), counted.get(row[0], 0)) for row in rows]


def images_of(connection: sqlite3.Connection, item_id: int) -> list[int]:
    """The pictures of an item that are there, in the order of their ids."""
    rows = connection.execute(
        f"SELECT image_id FROM ({pairs_where('items.id = :item')}) ORDER BY image_id",
        {"item": item_id},
    )
    return [image_id for (image_id,) in rows]


def pairs(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    """Every item with every picture of it that is there: ids of an item and of a picture."""
    return connection.execute(pairs_where("true")).fetchall()


def _read(row: Sequence[Any]) -> tuple[int, int, About]:
    tags, words, statistics = (json.loads(text) for text in row[7:10])
    name, version, creator, base_model, page_url = row[2:7]
    about = About(
        name, version, creator, base_model, page_url, tuple(tags), tuple(words), statistics
    )
    return row[0], row[1], about
