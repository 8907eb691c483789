"""The crawl of real folders: pictures a second, peak memory, and a second run."""

from __future__ import annotations

import json
from pathlib import Path

from bench.corpora import PHOTOS, openclipart, small_photos, twelve_megapixel_photos
from bench.measure import crawl_twice, run
from bench.table import megabytes, table

_DRAWINGS = "openclipart-png"
_HEAD = (
    "folder",
    "files",
    "encoded",
    "failed",
    "pictures/s",
    "peak memory",
    "second run",
    "its peak",
)


def crawl_section(work: Path) -> str:
    """Crawl every corpus twice; gives the section of docs/benchmarks.md."""
    corpora = {"12-megapixel JPEGs": twelve_megapixel_photos(work / "photos", PHOTOS)}
    drawings = openclipart()
    if drawings:
        corpora[_DRAWINGS] = drawings
    rows = [_row(name, folder, library(work, name)) for name, folder in corpora.items()]
    note = (
        "Of the 8,121 names in openclipart-png 1,221 are symbolic links to others of them."
        if drawings
        else "Debian's openclipart-png was not installed."
    )
    return (
        "## The crawl\n\n"
        "`python -m crawler FOLDER` as a whole process: start, model, scan, thumbnails, database\n"
        "and index included. The second run finds nothing to do.\n\n"
        f"{table(_HEAD, rows)}\n\n{note}\n"
    )


def library(work: Path, name: str) -> Path:
    """Where the library of a corpus lies."""
    return work / f"library-{name}".replace(" ", "-")


def large_library(work: Path, least: int) -> tuple[Path, int]:
    """A library of at least so many pictures: the drawings', filled up with small photographs.

    Gives its folder and how many pictures it has. Run crawl_section first.
    """
    data = library(work, _DRAWINGS)
    known = json.loads(run(["-m", "library", "status", "--data", data, "--json"]).output)
    photos = small_photos(work / "small", least - known["pictures"])
    summary = json.loads(crawl_twice(photos, data)[0].output)
    return data, summary["pictures"]


def _row(name: str, folder: Path, data: Path) -> list[str]:
    first, second = crawl_twice(folder, data)
    summary = json.loads(first.output)
    assert json.loads(second.output)["encoded"] == 0
    return [
        name,
        f"{summary['files']:,}",
        f"{summary['encoded']:,}",
        f"{summary['failed']:,}",
        f"{summary['files'] / first.seconds:.1f}",
        megabytes(first.peak_bytes),
        f"{second.seconds:.1f} s",
        megabytes(second.peak_bytes),
    ]
