"""`python -m library.index_health CHROMA DATABASE SPACE`: how well an index answers, as JSON.

CHROMA is its directory, or the address of a server.

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

from library import indexed, spaces, vectors
from library.checks.index import UNREACHABLE
from library.chroma import Collections, Hits
from library.chroma_directory import Shards
from library.chroma_server import WORK_SECONDS
from library.database import Database
from library.errors import IndexUnreachableError
from library.index import SHARD
from library.index_server import open_graphs
from library.spaces import Space
from library.vectors import Vectors

_SELVES = 100
_QUERIES = 20
_NEAREST = 10
_BLOCK = 4_096
_EQUAL = 1e-3

Query = Callable[[Vectors, int], Hits]


def main(arguments: list[str]) -> int:
    """Print count, lost, asked, found and recall."""
    chroma, database_path, key = arguments
    database = Database(Path(database_path))
    try:
        (space,) = (s for s in spaces.spaces(database.connection) if s.key == key)
        print(json.dumps(_health(database.connection, space, _open(chroma, database))))
    except IndexUnreachableError as error:
        print(error, file=sys.stderr)
        return UNREACHABLE
    finally:
        database.close()
    return 0


def _open(chroma: str, database: Database) -> Collections:
    if "://" in chroma:
        return open_graphs(chroma, database, WORK_SECONDS)
    return Shards(Path(chroma), SHARD)


def _health(connection: sqlite3.Connection, space: Space, shards: Collections) -> dict[str, float]:
    names = shards.of_space(space.key)
    each = -(-_SELVES // max(1, len(names)))

    def query(vector: Vectors, limit: int) -> Hits:
        return shards.query(space.key, vector, limit)

    try:
        samples = [indexed.sample(connection, space, name, each).vectors for name in names]
        sample = np.vstack([np.empty((0, space.dim), np.float32), *samples])
        counts = [(shards.count(name), indexed.count(connection, name)) for name in names]
        return {
            "count": sum(holds for holds, _ in counts),
            "lost": sum(max(0, recorded - holds) for holds, recorded in counts),
            "asked": len(sample),
            "found": sum(_finds_itself(query, vector) for vector in sample),
            "recall": _recall(connection, space, query, sample[:: max(1, len(sample) // _QUERIES)]),
        }
    finally:
        shards.close()


def _finds_itself(query: Query, vector: Vectors) -> bool:
    found = query(vector, 1)
    return len(found) == 1 and found[0][1] > 1 - _EQUAL


def _recall(connection: sqlite3.Connection, space: Space, query: Query, queries: Vectors) -> float:
    """The mean part of the nearest vectors that the index finds too."""
    if not len(queries):
        return 1.0
    exact = _nearest(connection, space, queries)
    if not exact.size:
        return 1.0
    parts = []
    for vector, nearest in zip(queries, exact, strict=True):
        # By score, so that copies, of which either may be found, do no harm.
        found = query(vector, len(nearest))
        parts.append(sum(score >= nearest[-1] - _EQUAL for _, score in found) / len(nearest))
    return float(np.mean(parts))


def _nearest(connection: sqlite3.Connection, space: Space, queries: Vectors) -> Vectors:
    """The highest scores of each query (n, at most _NEAREST), by an exact scan.

    Only of the vectors before the first that the index lacks: others it need not find.
    """
    lacking = indexed.first_lacking(connection, space, 0)
    best = np.empty((len(queries), 0), np.float32)
    last = 0
    while (rows := vectors.after(connection, space, last, _BLOCK)).ids:
        held = np.asarray(rows.ids) < (lacking or np.inf)
        scores = queries @ rows.vectors[held].T
        best = -np.sort(-np.hstack([best, scores]), axis=1)[:, :_NEAREST]
        if not held.all():
            break
        last = rows.ids[-1]
    return best


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
