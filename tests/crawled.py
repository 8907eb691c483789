"""What the tests of the crawl look at in a library."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

from library import spaces, vectors
from library.database import Database
from library.spaces import Space
from mlx_clip import Encoder


def space(database: Database, encoder: Encoder) -> Space:
    return spaces.space(database.connection, encoder.space, encoder.dim)


def vector_of(path: Path, encoder: Encoder) -> vectors.Vectors:
    """A picture's vector, by a full decode of its own."""
    with Image.open(path) as opened:
        (vector,) = encoder.encode_images(encoder.preprocess(opened.convert("RGB"))[None])
    return np.asarray(vector)


def rows(database: Database) -> dict[str, int | None]:
    """Present files and the picture each holds."""
    found = database.connection.execute(
        "SELECT path, image_id FROM files WHERE missing_since IS NULL ORDER BY path"
    )
    return {os.path.basename(os.fsdecode(path)): image_id for path, image_id in found}


def touch_later(path: Path) -> None:
    """Move a file's mtime on, as a later write would, whatever the disk's resolution."""
    info = path.stat()
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns + 1_000_000_000))


def forget(database: Database, name: str) -> int:
    """Forget a picture by its file's name, as a crawl does that prunes; gives its former id."""
    image_id = rows(database)[name]
    assert image_id is not None
    with database.transaction() as connection:
        vectors.forget(connection, [image_id])
        connection.execute("DELETE FROM files WHERE image_id = ?", (image_id,))
        connection.execute("DELETE FROM images WHERE id = ?", (image_id,))
    return image_id
