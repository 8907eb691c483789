"""Libraries of any number of rows, made by the ten thousand: no picture was ever read for them."""

from __future__ import annotations

import io
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
from PIL import Image

from library import files, images, meta, spaces, vectors
from library.database import Database
from library.models import Metadata, Work
from library.spaces import Space
from library.thumbnails import Thumbnails

ROOT = b"/a-large-library"
COLLECTION = "00000000-0000-0000-0000-000000000000"
_BATCH = 10_000
_FOLDER = 1_000
_KEY, _MODEL = "large@1/p1", "starter"
_METADATA = Metadata(4000, 3000, "JPEG", 1, 4_000_000, "#a0b0c0", "2019-04-12T10:11:12", "Camera")
# Which in a thousand files is missing, damaged, and has a picture without a vector.
MISSING, FAILED, _BARE = 3, 7, 5
_LINKS = 4_000  # of one file, on the disks that allow the fewest


def build(
    path: Path,
    rows: int,
    dim: int,
    page_bytes: int | None = None,
    *,
    model: str = _MODEL,
    key: str = _KEY,
    matrix: vectors.Vectors | None = None,
) -> None:
    """A database of `rows` files, pictures and unit vectors, recorded as indexed.

    The vectors are those of `matrix` (rows, dim), else drawn at random.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if page_bytes:
        _begin(path, page_bytes)
    rng = np.random.default_rng(0)
    with closing(Database(path)) as database:
        space = spaces.space(database.connection, key, dim)
        meta.set_model(database.connection, model, key)
        files.remember_roots(database.connection, [ROOT])
        for first in range(1, rows + 1, _BATCH):
            with database.transaction() as connection:
                ids = range(first, min(first + _BATCH, rows + 1))
                known = None if matrix is None else matrix[first - 1 : ids[-1]]
                _add(connection, space, ids, rng, known)


def link_thumbnails(database: Database, directory: Path) -> None:
    """A name for each picture's thumbnail; the bytes are the same few files."""
    thumbnails, jpeg = Thumbnails(directory), _jpeg()
    source, links = directory / "source", 0
    for number, folder in enumerate(thumbnails.folders):
        (directory / folder).mkdir(parents=True, exist_ok=True)
        for content_hash in images.hashes(database.connection, number):
            if links % _LINKS == 0:
                source.unlink(missing_ok=True)
                source.write_bytes(jpeg)
            os.link(source, thumbnails.path(content_hash))
            links += 1
    source.unlink()


def lose_bare(connection: sqlite3.Connection) -> None:
    """The files of the pictures without a vector go missing, as after a change of the model."""
    connection.execute(f"UPDATE files SET missing_since = 1.0 WHERE id % 1000 = {_BARE}")


def leave_work(connection: sqlite3.Connection) -> None:
    """One file in a hundred is unread, one picture in a hundred is not indexed."""
    connection.execute("UPDATE files SET image_id = NULL WHERE id % 100 = 50")
    connection.execute("DELETE FROM indexed_vectors WHERE vector_id % 100 = 50")


def commit(database: Database, space: Space, first: int, pictures: int) -> None:
    """What a crawl commits at a time, into a library made by `build`."""
    rng = np.random.default_rng(first)
    with database.transaction() as connection:
        for number in range(pictures):
            image_id = images.add(connection, rng.bytes(16), _METADATA)
            vectors.add(connection, space, image_id, _unit(rng, 1, space.dim)[0])
            work = Work(first + number, b"", 0, 0)
            files.set_content(connection, work, image_id, 4_000_000, 0)


def _jpeg() -> bytes:
    """A thumbnail of some photograph's size."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    picture = Image.fromarray(noise).resize((512, 384), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=82)
    return stream.getvalue()


def _begin(path: Path, page_bytes: int) -> None:
    """An empty database, whose pages keep their size."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {page_bytes}")
        connection.execute("VACUUM")


def _add(
    connection: sqlite3.Connection,
    space: Space,
    ids: range,
    rng: np.random.Generator,
    matrix: vectors.Vectors | None,
) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO folders (id, path) VALUES (?, ?)",
        ((number + 1, _folder(number)) for number in {i // _FOLDER for i in ids}),
    )
    columns = "id, content_hash, width, height, format, frames, byte_size, colour, taken_at, camera"
    connection.executemany(
        f"INSERT INTO images ({columns}) VALUES (?, ?, 4000, 3000, 'JPEG', 1, ?, ?, ?, ?)",
        ((i, rng.bytes(16), 4_000_000, "#a0b0c0", "2019-04-12T10:11:12", _camera(i)) for i in ids),
    )
    connection.executemany(
        """INSERT INTO files (id, path, folder_id, size, mtime_ns, image_id, missing_since,
            failure, failure_kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (_file(i) for i in ids),
    )
    if matrix is None:
        matrix = _unit(rng, len(ids), space.dim)
    connection.executemany(
        "INSERT INTO vectors (id, space_id, image_id, vector) VALUES (?, ?, ?, ?)",
        (
            (i, space.id, i, vector.tobytes())
            for i, vector in zip(ids, matrix, strict=True)
            if i % 1000 != _BARE
        ),
    )
    connection.executemany(
        "INSERT INTO indexed_vectors VALUES (?, ?)",
        ((COLLECTION, i) for i in ids if i % 1000 != _BARE),
    )


def _folder(number: int) -> bytes:
    return b"%s/%04d" % (ROOT, number)


def _camera(i: int) -> str:
    """By its words a filter keeps every second, tenth or hundredth picture."""
    kept = {2: "half", 10: "tenth", 100: "hundredth"}
    return " ".join(["Camera", *(name for every, name in kept.items() if i % every == 0)])


def _file(i: int) -> tuple[object, ...]:
    failed = i % 1000 == FAILED
    return (
        i,
        b"%s/IMG_%07d.jpg" % (_folder(i // _FOLDER), i),
        i // _FOLDER + 1,
        4_000_000 + i,
        1_555_000_000_000_000_000 + i * 10**9,
        None if failed else i,
        1_600_000_000.0 if i % 1000 == MISSING else None,
        "the picture is damaged" if failed else None,
        "undecodable" if failed else None,
    )


def _unit(rng: np.random.Generator, rows: int, dim: int) -> vectors.Vectors:
    matrix = rng.standard_normal((rows, dim), dtype=np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix
