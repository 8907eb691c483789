"""`python -m library.index_health CHROMA DATABASE SPACE DIM`: how well an index answers, as JSON.

Run by the doctor, in a process of its own, because an index that a killed process left behind can
crash its reader. The caller holds the index's lock.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from library import vectors
from library.database import Database
from library.index import collection_name, connect
from library.vectors import Space, Vectors

_SELVES = 100
_QUERIES = 20
_NEAREST = 10
_BLOCK = 4_096
_EQUAL = 1e-3

Query = Callable[[Vectors, int], list[tuple[bytes, float]]]


def main(arguments: list[str]) -> int:
    """Print count, recorded, asked, found and recall."""
    directory, database_path, key, dim = arguments
    database = Database(Path(database_path))
    try:
        space = vectors.space(database.connection, key, int(dim))
        print(json.dumps(_health(database.connection, space, Path(directory))))
    finally:
        database.close()
    return 0


def _health(connection: sqlite3.Connection, space: Space, directory: Path) -> dict[str, float]:
    client = connect(directory)
    collection = client.get_collection(collection_name(space), embedding_function=None)
    name = str(collection.id)

    def query(vector: Vectors, limit: int) -> list[tuple[bytes, float]]:
        answer = collection.query(
            query_embeddings=vector[np.newaxis], n_results=limit, include=["distances"]
        )
        distances = answer["distances"]
        assert distances is not None
        return [
            (bytes.fromhex(name), 1.0 - distance)
            for name, distance in zip(answer["ids"][0], distances[0], strict=True)
        ]

    try:
        sample = vectors.sample_indexed(connection, space, name, _SELVES)
        newest = vectors.newest_indexed(connection, name)
        return {
            "count": collection.count(),
            "recorded": vectors.count_indexed(connection, name),
            "asked": len(sample.ids),
            "found": sum(_finds_itself(query, vector) for vector in sample.vectors),
            "recall": _recall(connection, space, newest, query, sample.vectors[:_QUERIES]),
        }
    finally:
        client.close()


def _finds_itself(query: Query, vector: Vectors) -> bool:
    found = query(vector, 1)
    return len(found) == 1 and found[0][1] > 1 - _EQUAL


def _recall(
    connection: sqlite3.Connection, space: Space, newest: int, query: Query, queries: Vectors
) -> float:
    """The mean part of the nearest, of the vectors up to `newest`, that the index finds too."""
    if not len(queries):
        return 1.0
    exact = _nearest(connection, space, newest, queries)
    parts = []
    for vector, nearest in zip(queries, exact, strict=True):
        # By score, so that copies, of which either may be found, do no harm.
        worst = nearest.min() - _EQUAL
        found = sum(score >= worst for _, score in query(vector, len(nearest)))
        parts.append(found / len(nearest))
    return float(np.mean(parts))


def _nearest(
    connection: sqlite3.Connection, space: Space, newest: int, queries: Vectors
) -> Vectors:
    """The highest scores of each query (n, at most _NEAREST), by an exact scan."""
    best = np.empty((len(queries), 0), np.float32)
    last = 0
    while rows := vectors.after(connection, space, last, _BLOCK):
        ids = np.asarray(rows.ids)
        if not len(ids) or ids[0] > newest:
            break
        scores = queries @ rows.vectors[ids <= newest].T
        best = -np.sort(-np.hstack([best, scores]), axis=1)[:, :_NEAREST]
        last = rows.ids[-1]
    return best


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
