"""The index alone: what the size of its shards means for recall, query time and memory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from bench.measure import run
from bench.table import megabytes, table
from library.index import SHARD

VECTORS = 50_000
_SIZES = (VECTORS + 1, 25_000, SHARD)


def index_section(work: Path) -> str:
    """Fill and ask indexes over the same vectors, each in a process of its own."""
    rows = []
    for size in _SIZES:
        data = work / "library-of-vectors"
        shutil.rmtree(data, ignore_errors=True)
        figures = run(["-m", "bench.index_child", data, str(VECTORS), str(size)]).output
        rate, grown, near, far, milliseconds = json.loads(figures)
        name = f"shards of {size:,}" if size <= VECTORS else "one graph"
        rows.append(
            [
                name,
                f"{rate:.0f}/s",
                megabytes(grown),
                f"{near:.4f}",
                f"{far:.4f}",
                f"{milliseconds:.1f} ms",
            ]
        )
    head = ("", "filled", "memory grows by", "recall, pictures", "recall, texts", "a query")
    return (
        "## The index\n\n"
        f"{VECTORS:,} vectors of 512 dimensions in clusters, with a mean cosine of .55 as a\n"
        "model's have, pushed from SQLite into ChromaDB. Recall is of the nearest 50 against the\n"
        "exact answer, the mean of 100 queries: vectors of the same clusters for pictures, and\n"
        "vectors farther from all of them, as texts are. Memory is what filling added to the\n"
        "process. The time is the median's.\n\n"
        f"{table(head, rows)}\n"
    )
