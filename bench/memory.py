"""Peak memory of a crawl into libraries of different sizes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from bench.measure import ROOT, crawl_twice
from bench.table import megabytes, table
from library import images, vectors
from library.database import Database
from library.models import Metadata
from mlx_clip import Encoder

SIZES = (0, 10_000, 50_000)
_BATCH = 1_000


def memory_section(work: Path, encoder: Encoder) -> str:
    """Crawl samples/ into libraries that hold that many vectors already."""
    rows = []
    for size in SIZES:
        data = work / f"library-of-{size}"
        shutil.rmtree(data, ignore_errors=True)
        _fill(data, encoder, size)
        first, second = crawl_twice(ROOT / "samples", data)
        assert json.loads(second.output)["indexed"] >= size
        rows.append(
            [
                f"{size:,}",
                megabytes(first.peak_bytes),
                megabytes(second.peak_bytes),
                f"{first.seconds:.1f} s",
                f"{second.seconds:.1f} s",
            ]
        )
    head = ("vectors before", "peak", "peak, nothing to do", "time", "time, nothing to do")
    return (
        "## Memory\n\n"
        "A crawl of samples/ into a library that holds so many (random) vectors of\n"
        f"{encoder.dim} dimensions, none of them indexed yet. It reads and encodes the samples,\n"
        "which takes the same at any size, and pushes everything into ChromaDB, whose HNSW graph\n"
        "lies in memory as a whole: that grows. The second crawl finds nothing to do and does not\n"
        "open the index.\n\n"
        f"{table(head, rows)}\n"
    )


def _fill(data: Path, encoder: Encoder, size: int) -> None:
    rng = np.random.default_rng(0)
    metadata = Metadata(1, 1, "PNG", 1, 1, "#000000")
    database = Database(data / "library.sqlite")
    space = vectors.space(database.connection, encoder.space, encoder.dim)
    for start in range(0, size, _BATCH):
        matrix = rng.normal(size=(_BATCH, encoder.dim)).astype(np.float32)
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
        with database.transaction() as connection:
            for number, vector in enumerate(matrix):
                image_id = images.add(connection, b"%016d" % (start + number), metadata)
                vectors.add(connection, space, image_id, vector)
    database.close()
