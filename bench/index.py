"""The index alone: what the size of its shards means for recall, query time and memory."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from statistics import fmean, median

import numpy as np

from bench import clusters
from bench.measure import run
from bench.table import megabytes, table
from library import images, spaces, vectors
from library.database import Database
from library.index import SHARD, VectorIndex
from library.models import Metadata
from library.spaces import Space
from library.vectors import Vectors

VECTORS = 50_000
_SIZES = (VECTORS + 1, 25_000, SHARD)
_DIM, _NEAREST, _QUERIES = 512, 50, 100
_BATCH = 1_000
_KEY = "bench"
_FILL = """
import sys
from pathlib import Path
from library import spaces
from library.allocator import give_back_large_blocks
from library.database import Database
from library.index import VectorIndex
give_back_large_blocks()
data, key, dim, shard = sys.argv[1:]
database = Database(Path(data) / "library.sqlite")
space = spaces.space(database.connection, key, int(dim))
index = VectorIndex(Path(data), database, space, "a benchmark", int(shard))
index.push()
index.close()
"""


def index_section(work: Path) -> str:
    """Fill indexes over the same vectors, each in a process of its own, and ask them."""
    data = work / "library-of-vectors"
    shutil.rmtree(data, ignore_errors=True)
    rng = np.random.default_rng(0)
    centres = clusters.centres(rng, VECTORS, _DIM)
    matrix = clusters.around(rng, centres, VECTORS, clusters.NOISE)
    queries = [
        clusters.around(rng, centres, _QUERIES, clusters.NOISE),
        clusters.around(rng, 0.3 * centres, _QUERIES, 1.2),
    ]
    database = Database(data / "library.sqlite")
    try:
        space = spaces.space(database.connection, _KEY, _DIM)
        _store(database, space, matrix)
        rows = [_row(data, database, space, size, matrix, queries) for size in _SIZES]
    finally:
        database.close()
    head = ("", "filled in", "peak memory", "recall, pictures", "recall, texts", "a query")
    return (
        "## The index\n\n"
        f"{VECTORS:,} vectors of {_DIM} dimensions in clusters, with a mean cosine of .55 as a\n"
        "model's have, pushed from SQLite into ChromaDB by a process that does nothing else.\n"
        f"Recall is of the nearest {_NEAREST} against the exact answer, the mean of {_QUERIES}\n"
        "queries: vectors of the same clusters for pictures, and vectors farther from all of\n"
        "them, as texts are. The time of a query is the median.\n\n"
        f"{table(head, rows)}\n"
    )


def _row(
    data: Path,
    database: Database,
    space: Space,
    size: int,
    matrix: Vectors,
    queries: list[Vectors],
) -> list[str]:
    shutil.rmtree(data / "chroma", ignore_errors=True)
    filling = run(["-c", _FILL, data, space.key, str(space.dim), str(size)])
    index = VectorIndex(data, database, space, "a benchmark", size)
    try:
        index.verify()
        answers = [[_ask(index, matrix, query) for query in group] for group in queries]
    finally:
        index.close()
    return [
        f"shards of {size:,}" if size <= VECTORS else "one graph",
        f"{filling.seconds:.0f} s",
        megabytes(filling.peak_bytes),
        *(f"{fmean(recall for recall, _ in group):.4f}" for group in answers),
        f"{median(seconds for group in answers for _, seconds in group) * 1000:.1f} ms",
    ]


def _store(database: Database, space: Space, matrix: Vectors) -> None:
    metadata = Metadata(1, 1, "PNG", 1, 1, "#000000")
    for first in range(0, len(matrix), _BATCH):
        with database.transaction() as connection:
            for number, vector in enumerate(matrix[first : first + _BATCH], first):
                image_id = images.add(connection, b"%016d" % number, metadata)
                vectors.add(connection, space, image_id, vector)


def _ask(index: VectorIndex, matrix: Vectors, query: Vectors) -> tuple[float, float]:
    """The share of the exact answer that is found, and the seconds it took."""
    started = time.perf_counter()
    answer = index.query(query, _NEAREST)
    seconds = time.perf_counter() - started
    exact = np.argpartition(-(matrix @ query), _NEAREST)[:_NEAREST]
    found = {int(content_hash) for content_hash, _ in answer}
    return len(found & set(exact.tolist())) / _NEAREST, seconds
