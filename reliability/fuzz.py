"""Mutated pictures through the crawl's reader, in processes that may crash or hang."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import IO

from bench.measure import ROOT
from bench.table import table

FILES, SEED = 20_000, 1
# The reader itself gives a picture up after a minute.
_HANGS_AFTER = 180.0
_OUTCOMES = ("read", "error", "slow", "raised", "crash", "hang")


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What became of each file: its number, its format, one of `_OUTCOMES`."""

    number: int
    kind: str
    outcome: str


def fuzz_section() -> str:
    """Fuzz the reader with all of them."""
    found = fuzz(FILES)
    for bad in (one for one in found if one.outcome in ("raised", "crash", "hang")):
        print(f"seed {SEED}, number {bad.number} ({bad.kind}): {bad.outcome}", file=sys.stderr)
    counts = {kind: Counter(f.outcome for f in found if f.kind == kind) for kind in _kinds(found)}
    counts["all"] = Counter(one.outcome for one in found)
    rows = [
        [kind, f"{count.total():,}", *(f"{count[outcome]:,}" for outcome in _OUTCOMES)]
        for kind, count in counts.items()
    ]
    heads = ["format", "files", "read", "errors recorded", "given up", "raised", "crashes", "hangs"]
    return (
        "## Mutated pictures\n\n"
        f"Seed {SEED}; `python -m reliability.fuzz_child {SEED} NUMBER {FILES} {FILES}` reads one "
        "of them again.\n\n"
        f"{table(heads, rows)}\n"
    )


def fuzz(count: int, seed: int = SEED) -> list[Fuzzed]:
    """Read so many mutated pictures, on all processors."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        shares = pool.map(partial(_share, seed, count, workers), range(workers))
        return sorted((f for share in shares for f in share), key=lambda f: f.number)


def _share(seed: int, end: int, step: int, first: int) -> list[Fuzzed]:
    """Every `step`th file; a process that a file ends is followed by another."""
    found: list[Fuzzed] = []
    while first < end:
        found += _until_it_ends(seed, first, end, step)
        first = found[-1].number + step
    return found


def _until_it_ends(seed: int, first: int, end: int, step: int) -> Iterator[Fuzzed]:
    numbers = map(str, (seed, first, end, step))
    command = [sys.executable, "-m", "reliability.fuzz_child", *numbers]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=said, text=True
        ) as process,
    ):
        assert process.stdout is not None
        hung = threading.Event()
        begun = None
        while line := _line(process.stdout, process, hung):
            if begun is None:
                begun = line.split()
                continue
            yield Fuzzed(int(begun[0]), begun[1], line)
            begun = None
        process.wait()
        if begun is not None:
            yield Fuzzed(int(begun[0]), begun[1], "hang" if hung.is_set() else "crash")
        elif process.returncode:
            said.seek(0)
            raise SystemExit(said.read().decode(errors="replace"))


def _line(lines: IO[str], process: subprocess.Popen[str], hung: threading.Event) -> str:
    """The next line; nothing when the process has ended, or was ended because it hung."""

    def end() -> None:
        hung.set()
        process.kill()

    timer = threading.Timer(_HANGS_AFTER, end)
    timer.start()
    try:
        return lines.readline().strip()
    finally:
        timer.cancel()


def _kinds(found: list[Fuzzed]) -> list[str]:
    return sorted({one.kind for one in found})
