"""Whole commands, measured from outside: seconds and peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Linux counts the memory of the process that started a command as the command's own, so a small
# process starts it and gives the figures back on standard error.
_STARTER = """
import json, resource, subprocess, sys, time
started = time.monotonic()
done = subprocess.run([sys.executable, *sys.argv[1:]], stderr=subprocess.DEVNULL)
seconds = time.monotonic() - started
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([seconds, peak * (1 if sys.platform == "darwin" else 1024)]), file=sys.stderr)
sys.exit(done.returncode)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A command that ended: wall-clock seconds, peak resident memory in bytes, its output."""

    seconds: float
    peak_bytes: int
    output: str


def run(arguments: Sequence[str | Path]) -> Run:
    """Run the project's Python with these arguments to its end; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", _STARTER, *map(str, arguments)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, peak = json.loads(done.stderr)
    return Run(seconds, peak, done.stdout)


def crawl_twice(folder: Path, data: Path) -> tuple[Run, Run]:
    """Crawl a folder into a library, and again when there is nothing to do."""
    arguments: list[str | Path] = ["-m", "crawler", folder, "--data", data, "--json"]
    return run(arguments), run(arguments)
