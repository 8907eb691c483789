"""The table of pictures: one row a content, whatever its files are called."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple
from itertools import islice
from random import randint

from library import files
from library.models import Metadata, Picture, PictureDetails
from library.spaces import Space

# SQLite's default limit of variables a statement was 999 for a long time.
_VARIABLES = 900

_PICTURE = """SELECT images.id, width, height, colour, format,
    (SELECT path FROM files WHERE image_id = images.id
     ORDER BY missing_since IS NOT NULL, id LIMIT 1)
    FROM images"""

_PRESENT = """EXISTS (SELECT 1 FROM files
    WHERE files.image_id = images.id AND files.missing_since IS NULL)"""

_METADATA = """width, height, format, frames, byte_size, colour,
    taken_at, camera, latitude, longitude, perceptual_hash"""


def add(connection: sqlite3.Connection, content_hash: bytes, metadata: Metadata) -> int:
    """The id of the picture with this content, which is added when it is new."""
    connection.execute(
        f"""INSERT OR IGNORE INTO images (content_hash, {_METADATA})
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (content_hash, *astuple(metadata)),
    )
    image_id = find(connection, content_hash)
    assert image_id is not None
    return image_id


def find(connection: sqlite3.Connection, content_hash: bytes) -> int | None:
    """The id of the picture with this content, or None."""
    row = connection.execute(
        "SELECT id FROM images WHERE content_hash = ?", (content_hash,)
    ).fetchone()
    return None if row is None else int(row[0])


def get(connection: sqlite3.Connection, image_id: int) -> PictureDetails | None:
    """Everything known of one picture, or None."""
    row = connection.execute(
        f"SELECT content_hash, {_METADATA} FROM images WHERE id = ?", (image_id,)
    ).fetchone()
    if row is None:
        return None
    return PictureDetails(
        image_id, row[0], Metadata(*row[1:]), files.of_image(connection, image_id)
    )


def content_hash(connection: sqlite3.Connection, image_id: int) -> bytes | None:
    """The content hash of a picture, or None."""
    row = connection.execute("SELECT content_hash FROM images WHERE id = ?", (image_id,)).fetchone()
    return None if row is None else bytes(row[0])


def unhashed(connection: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, bytes]]:
    """Pictures without a perceptual hash, with an id above `after`: ids and content hashes."""
    return connection.execute(
        """SELECT id, content_hash FROM images
        WHERE perceptual_hash IS NULL AND id > ? ORDER BY id LIMIT ?""",
        (after, limit),
    ).fetchall()


def set_perceptual_hashes(connection: sqlite3.Connection, found: Iterable[tuple[int, int]]) -> None:
    """Record the perceptual hashes (hash, id) of some pictures."""
    connection.executemany("UPDATE images SET perceptual_hash = ? WHERE id = ?", found)


def count(connection: sqlite3.Connection) -> int:
    """How many pictures are known, with present files or without."""
    (number,) = connection.execute("SELECT count(*) FROM images").fetchone()
    return int(number)


def hashes(connection: sqlite3.Connection, first_byte: int, present: bool = False) -> list[bytes]:
    """The content hashes that begin with a byte: of all pictures, or of those that are there."""
    # One byte more than the hashes have, so that the last range ends behind them all.
    bounds = bytes([first_byte]), bytes([first_byte, *[255] * 16])
    rows = connection.execute(
        f"""SELECT content_hash FROM images WHERE content_hash BETWEEN ? AND ?
        {f"AND {_PRESENT}" if present else ""}""",
        bounds,
    )
    return [content_hash for (content_hash,) in rows]


def present(connection: sqlite3.Connection, image_ids: Sequence[int]) -> dict[int, Picture]:
    """Of these pictures the ones that have a present file, by id."""
    found: dict[int, Picture] = {}
    for chunk in _chunks(image_ids):
        rows = connection.execute(
            f"{_PICTURE} WHERE images.id IN ({_marks(chunk)}) AND {_PRESENT}", chunk
        )
        found.update((row[0], Picture(*row)) for row in rows)
    return found


def places(
    connection: sqlite3.Connection, image_ids: Sequence[int]
) -> dict[int, tuple[bytes, ...]]:
    """Of these pictures the ones that lie in several present files: their paths, by id."""
    found: dict[int, list[bytes]] = {}
    for chunk in _chunks(image_ids):
        rows = connection.execute(
            f"""SELECT image_id, path FROM files
            WHERE image_id IN ({_marks(chunk)}) AND missing_since IS NULL ORDER BY id""",
            chunk,
        )
        for image_id, path in rows:
            found.setdefault(image_id, []).append(path)
    return {image_id: tuple(paths) for image_id, paths in found.items() if len(paths) > 1}


def ids_of(connection: sqlite3.Connection, hashes: Sequence[bytes]) -> dict[bytes, int]:
    """The ids of the pictures with these contents, by content hash."""
    found: dict[bytes, int] = {}
    for chunk in _chunks(hashes):
        found.update(
            connection.execute(
                f"SELECT content_hash, id FROM images WHERE content_hash IN ({_marks(chunk)})",
                chunk,
            ).fetchall()
        )
    return found


def recent(connection: sqlite3.Connection, limit: int) -> list[Picture]:
    """The pictures whose files were changed last, newest first."""
    rows = connection.execute(
        """SELECT image_id, max(mtime_ns) AS newest FROM (
            SELECT image_id, mtime_ns FROM files
            WHERE missing_since IS NULL AND image_id IS NOT NULL
            ORDER BY mtime_ns DESC LIMIT ?)
        GROUP BY image_id ORDER BY newest DESC, image_id LIMIT ?""",
        (limit * 4, limit),  # copies of one picture are often neighbours in time
    ).fetchall()
    ids = [image_id for image_id, _ in rows]
    pictures = present(connection, ids)
    return [pictures[image_id] for image_id in ids if image_id in pictures]


def encoded_since(
    connection: sqlite3.Connection, space: Space, after: int, limit: int
) -> list[tuple[int, Picture]]:
    """The pictures whose vectors came last, with the vectors' ids, all above `after`; newest first.

    Those that are in no present file any more are left out.
    """
    rows = connection.execute(
        """SELECT id, image_id FROM vectors WHERE space_id = ? AND id > ?
        ORDER BY id DESC LIMIT ?""",
        (space.id, after, limit),
    ).fetchall()
    found = present(connection, [image_id for _, image_id in rows])
    return [(number, found[image_id]) for number, image_id in rows if image_id in found]


def random(connection: sqlite3.Connection, limit: int) -> list[Picture]:
    """Some present pictures, drawn anew at each call, at most `limit`."""
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM files").fetchone()
    drawn: dict[int, None] = {}
    # From a random file on to the next that will do: no look at all of them, however many.
    for _ in range(2 * limit if last else 0):
        row = connection.execute(
            """SELECT image_id FROM files
            WHERE id >= ? AND missing_since IS NULL AND image_id IS NOT NULL ORDER BY id LIMIT 1""",
            (randint(1, last),),
        ).fetchone()
        if row is not None:
            drawn[row[0]] = None
        if len(drawn) == limit:
            break
    pictures = present(connection, list(drawn))
    return [pictures[image_id] for image_id in drawn if image_id in pictures]


def in_folder(
    connection: sqlite3.Connection, folder_id: int, limit: int, offset: int
) -> list[Picture]:
    """The present pictures that lie directly in a folder, in the order of their paths."""
    rows = connection.execute(
        """SELECT images.id, width, height, colour, format, min(path)
        FROM files JOIN images ON images.id = files.image_id
        WHERE folder_id = ? AND missing_since IS NULL
        GROUP BY images.id ORDER BY min(path) LIMIT ? OFFSET ?""",
        (folder_id, limit, offset),
    )
    return [Picture(*row) for row in rows]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _chunks(values: Iterable[object]) -> Iterator[tuple[object, ...]]:
    iterator = iter(values)
    while chunk := tuple(islice(iterator, _VARIABLES)):
        yield chunk
