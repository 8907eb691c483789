"""A second run over files that have not changed, beside what `find` takes to list them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.corpora import small_photos
from bench.measure import ROOT, run
from bench.table import table

FILES = 200_000
_FOLDERS = 400
_PICTURES = 8
_ROUNDS = 7


def rescan_section(work: Path) -> str:
    """Crawl a large folder once, then again and again, with `find` in turns."""
    folder = _links(work)
    data = work / "library-rescan"
    shutil.rmtree(data, ignore_errors=True)
    crawl = ["-m", "crawler", str(folder), "--data", str(data), "--json"]
    assert json.loads(run(crawl).output)["files"] == FILES
    find = ["find", str(folder), "-printf", "%s %T@ %p\n"]
    ours = [sys.executable, *crawl]
    _seconds(ours)
    pairs = [(_seconds(find), _seconds(ours)) for _ in range(_ROUNDS)]
    rows = [_row("`find`", [pair[0] for pair in pairs]), _row("Kindred", [p[1] for p in pairs])]
    ratio = median(pair[1] for pair in pairs) / median(pair[0] for pair in pairs)
    return (
        "## A second run\n\n"
        f"{FILES:,} files (hard links of {_PICTURES} pictures) in {_FOLDERS} folders, none\n"
        "of them changed: `python -m crawler DIR` as a whole command, beside `find DIR -printf\n"
        "'%s %T@ %p\\n'`, which asks the file system the same, in turns and with a warm cache.\n\n"
        f"{table(('', 'median', 'fastest', 'slowest'), rows)}\n\n"
        f"The second run takes {ratio:.2f} times what `find` does.\n"
    )


def _links(work: Path) -> Path:
    """A folder of `FILES` hard links, as many to each picture; made once."""
    folder = work / "links"
    if sum(len(names) for _, _, names in os.walk(folder)) == FILES:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    pictures = sorted(small_photos(work / "linked", _PICTURES).iterdir())
    each = FILES // _FOLDERS
    for number in range(FILES):
        year, day = divmod(number // each, 40)
        place = folder / str(2000 + year) / f"{day:02} day"
        if number % each == 0:
            place.mkdir(parents=True)
        os.link(pictures[number % _PICTURES], place / f"IMG_{number:06}.jpg")
    return folder


def _seconds(command: Sequence[str]) -> float:
    # As a user's would: with the bytecode that the first run has left.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def _row(name: str, seconds: Sequence[float]) -> list[str]:
    return [name, *(f"{f(seconds):.2f} s" for f in (median, min, max))]
