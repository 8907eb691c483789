"""Vectors to index, and what the tests do to an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import chromadb
import numpy as np
import psutil
from chromadb.api.models.Collection import Collection

from library import images, vectors
from library.database import Database
from library.index import SHARD, VectorIndex
from library.models import Metadata
from library.spaces import Space
from library.vectors import Vectors

DIM = 32


def content(number: int, seed: int = 0) -> bytes:
    """The content hash of one of the pictures that `add` adds."""
    return b"%08d%08d" % (seed, number)


def add(database: Database, space: Space, count: int, seed: int = 0) -> Vectors:
    """Store `count` random unit vectors with a picture each, which is new or there already."""
    matrix = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    metadata = Metadata(1, 1, "PNG", 1, 1, "#000000")
    with database.transaction() as connection:
        for number, vector in enumerate(matrix):
            image_id = images.add(connection, content(number, seed), metadata)
            vectors.add(connection, space, image_id, vector)
    return matrix


def forget(database: Database, *contents: bytes) -> None:
    """Forget pictures, as a crawl does that prunes."""
    with database.transaction() as connection:
        ids = images.ids_of(connection, contents).values()
        vectors.forget(connection, ids)
        connection.executemany("DELETE FROM images WHERE id = ?", [(i,) for i in ids])


@contextmanager
def opened(
    database: Database, space: Space, shard: int = SHARD, *, asked: bool = False
) -> Iterator[VectorIndex]:
    index = VectorIndex(database.path.parent, database, space, "a test", shard, asked=asked)
    try:
        yield index
    finally:
        index.close()


def in_chroma(database: Database, do: Callable[[Collection], object]) -> None:
    """Do something to every collection of an index, behind its back."""
    client = chromadb.PersistentClient(
        database.path.parent / "chroma",
        chromadb.config.Settings(anonymized_telemetry=False),
    )
    for collection in client.list_collections():
        do(collection)
    client.close()  # type: ignore[attr-defined]  # declared as the interface


def held(database: Database) -> list[list[bytes]]:
    """The contents that each collection really holds, the fullest first."""
    found: list[list[bytes]] = []
    in_chroma(
        database, lambda c: found.append([bytes.fromhex(i) for i in c.get(include=[])["ids"]])
    )
    return sorted(found, key=len, reverse=True)


def all_held(database: Database) -> list[bytes]:
    """The contents that an index really holds, in order, each as often as it is there."""
    return sorted(content for contents in held(database) for content in contents)


def graphs_in_memory(database: Database) -> int:
    """Of how many collections Chroma holds the graph: it keeps the files of those open."""
    folder = database.path.parent / "chroma"
    files = [Path(file.path) for file in psutil.Process().open_files()]
    return len({file.parent for file in files if file.parent.parent == folder})
