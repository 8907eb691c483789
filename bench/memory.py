"""Peak memory of whole crawls of few and of many pictures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from bench.corpora import tiny_pictures
from bench.measure import crawl_twice
from bench.table import megabytes, table

FEW, MANY = 5_000, 50_000


def memory_section(work: Path) -> str:
    """Crawl so many small pictures, each into a library of its own."""
    rows, peaks = [], []
    for count in (FEW, MANY):
        data = work / f"library-of-{count}"
        shutil.rmtree(data, ignore_errors=True)
        first, second = crawl_twice(tiny_pictures(work / f"tiny-{count}", count), data)
        assert json.loads(first.output)["indexed"] == count
        peaks.append(first.peak_bytes)
        rows.append(
            [
                f"{count:,}",
                megabytes(first.peak_bytes),
                f"{first.seconds:.0f} s",
                megabytes(second.peak_bytes),
                f"{second.seconds:.1f} s",
            ]
        )
    head = ("pictures", "peak", "time", "peak of the second run", "its time")
    ratio = f"{peaks[1] / peaks[0]:.2f}"
    return (
        "## Memory\n\n"
        "`python -m crawler FOLDER` as a whole process, over drawn pictures of 64 x 48 pixels,\n"
        "the index included, of which one shard's graph is in memory at a time. The second run\n"
        "finds nothing to do and does not open the index.\n\n"
        f"{table(head, rows)}\n\n"
        f"The crawl of {MANY:,} took {ratio} times the memory of the crawl of {FEW:,}.\n"
    )
