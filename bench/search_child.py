"""`python -m bench.search_child DATA`: the engine over a library of vectors, measured; prints JSON.

The library's index is missing and is made while this looks on; which model, the settings say.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from bench import large
from library import spaces
from library.allocator import give_back_large_blocks
from library.database import Database
from library.keeper import IndexKeeper
from library.matrix import Ids, Matrix, Rows
from library.models import Results
from library.settings import load_settings
from library.vectors import Vectors
from mlx_clip import load_encoder
from search.engine import Engine
from search.parser import parse
from search.relevance import Relevance

_LIMIT, _QUERIES, _FILTERED = 50, 200, 40
_FILTERS = {"hundredth": 100, "tenth": 10, "half": 2}
_LOOK_SECONDS = 2.0
# Scores are rounded to six decimals, so that two this near may stand in either order.
_EQUAL = 2e-6

Search = Callable[[int, str], Results]


def main(data: Path) -> dict[str, Any]:
    """Everything that is measured, by name."""
    give_back_large_blocks()
    settings = load_settings({**os.environ, "DATA_DIR": str(data)})
    encoder = load_encoder(
        settings.clip_model,
        runtime=settings.clip_runtime,
        precision=settings.clip_precision,
        cache=settings.model_cache,
    )
    encoder.encode_texts(["a picture"])
    with closing(Database(settings.database_path)) as database:
        space = spaces.space(database.connection, encoder.space, encoder.dim)
        matrix = Matrix(data, database, space)
        _, made = _timed(lambda: matrix.rows())
        keeper = IndexKeeper(data, database, space)
        relevance = Relevance(database, space, encoder, lambda: matrix.rows().vectors)
        engine = Engine(database, encoder, space, keeper, matrix, relevance)

        def search(image_id: int, words: str) -> Results:
            return engine.search(parse(f"#{image_id} {words}"), _LIMIT)

        rows = matrix.rows()
        drawn = np.random.default_rng(1).choice(rows.image_ids, _QUERIES, replace=False).tolist()
        before = psutil.Process().memory_info().rss
        keeper.start()
        try:
            meanwhile, rebuilt = _while_it_is_made(keeper, search, rows, drawn)
            found = [_timed(partial(search, i, "")) for i in drawn]
            return {
                "matrix": made,
                "rebuilt": rebuilt,
                "meanwhile": meanwhile,
                "sources": sorted({results.source for results, _ in found}),
                "times": [seconds for _, seconds in found],
                "recall": _recall(rows, drawn, [results for results, _ in found]),
                "filtered": {
                    name: _filtered(search, rows, drawn[:_FILTERED], name, every)
                    for name, every in _FILTERS.items()
                },
                "chroma": _chroma(keeper, rows, drawn),
                "numpy": _numpy(rows, drawn),
                "sqlite_vec": _sqlite_vec(rows, drawn[:_FILTERED]),
                "memory": psutil.Process().memory_info().rss,
                "memory_before": before,
            }
        finally:
            keeper.stop()
            relevance.close()


def _while_it_is_made(
    keeper: IndexKeeper, search: Search, rows: Rows, drawn: Sequence[int]
) -> tuple[list[float], float]:
    """Ask all the time until the index is current: the recall of each answer, and the seconds."""
    started = time.monotonic()
    recalls: list[float] = []
    while keeper.state != "current":
        image_id = drawn[len(recalls) % len(drawn)]
        recalls.append(_recall(rows, [image_id], [search(image_id, "")]))
        time.sleep(min(_LOOK_SECONDS, 0.2 * len(recalls)))
    return recalls, time.monotonic() - started


def _filtered(
    search: Search, rows: Rows, drawn: Sequence[int], name: str, every: int
) -> tuple[float, list[float]]:
    kept = rows.image_ids % every == 0
    left = Rows(rows.vector_ids[kept], rows.image_ids[kept], rows.vectors[kept])
    found = [_timed(partial(search, i, f"camera:{name}")) for i in drawn]
    queries = rows.vectors[rows.of_images(np.array(drawn))]
    recall = _recall(left, drawn, [results for results, _ in found], queries)
    return recall, [seconds for _, seconds in found]


def _recall(
    rows: Rows, drawn: Sequence[int], found: Sequence[Results], queries: Vectors | None = None
) -> float:
    """The mean part of the nearest pictures, of those that have files, that was found."""
    if queries is None:
        queries = rows.vectors[rows.of_images(np.array(drawn))]
    parts = []
    for image_id, results, query in zip(drawn, found, queries, strict=True):
        scores = rows.vectors @ query
        scores[(rows.image_ids == image_id) | _is_missing(rows.image_ids)] = -1
        wanted = min(_LIMIT, int((scores > -1).sum()))
        line = np.partition(scores, -wanted)[-wanted] - _EQUAL
        parts.append(sum((hit.score or 0) >= line for hit in results.hits) / wanted)
    return float(np.mean(parts))


def _is_missing(image_ids: Ids) -> NDArray[np.bool_]:
    """As bench/large.py has it: of a thousand files one is missing, and one was never read."""
    return np.isin(image_ids % 1000, [large.MISSING, large.FAILED])


def _chroma(keeper: IndexKeeper, rows: Rows, drawn: Sequence[int]) -> list[float]:
    """The graph's own answer: content hashes, before anybody looks up what they are."""
    queries = rows.vectors[rows.of_images(np.array(drawn))]
    return [_timed(partial(keeper.query, query, _LIMIT))[1] for query in queries]


def _numpy(rows: Rows, drawn: Sequence[int]) -> list[float]:
    """An exact scan over the same array, in memory."""
    matrix = np.array(rows.vectors)
    queries = matrix[rows.of_images(np.array(drawn))]

    def scan(query: Vectors) -> Ids:
        scores = matrix @ query
        nearest = np.argpartition(-scores, _LIMIT)[:_LIMIT]
        return nearest[np.argsort(-scores[nearest])]

    return [_timed(partial(scan, query))[1] for query in queries]


def _sqlite_vec(rows: Rows, drawn: Sequence[int]) -> list[float] | None:
    """sqlite-vec's own scan, over the same vectors; None where it is not installed."""
    try:
        import apsw  # because many a Python's own sqlite3 loads no extensions
        import sqlite_vec
    except ImportError:
        return None
    connection = apsw.Connection(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    dim = rows.vectors.shape[1]
    connection.execute(f"CREATE VIRTUAL TABLE v USING vec0(e float[{dim}] distance_metric=cosine)")
    with connection:
        connection.executemany(
            "INSERT INTO v (rowid, e) VALUES (?, ?)",
            zip(rows.image_ids.tolist(), map(np.ndarray.tobytes, rows.vectors), strict=True),
        )
    queries = rows.vectors[rows.of_images(np.array(drawn))]
    asked = "SELECT rowid, distance FROM v WHERE e MATCH ? AND k = ?"

    def ask(query: Vectors) -> list[Any]:
        return list(connection.execute(asked, (query.tobytes(), _LIMIT)))

    return [_timed(partial(ask, query))[1] for query in queries]


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
