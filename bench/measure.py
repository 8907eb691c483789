"""Whole commands, measured from outside: seconds and peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
_KILOBYTES_OF_MAXRSS = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Run:
    """A command that ended: wall-clock seconds, peak resident memory in bytes, its output."""

    seconds: float
    peak_bytes: int
    output: str


def run(arguments: Sequence[str | Path]) -> Run:
    """Run the project's Python with these arguments to its end; it must succeed."""
    with tempfile.TemporaryFile("w+") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, [str(a) for a in arguments])
        output.seek(0)
        return Run(seconds, usage.ru_maxrss * _KILOBYTES_OF_MAXRSS, output.read())


def crawl_twice(folder: Path, data: Path) -> tuple[Run, Run]:
    """Crawl a folder into a library, and again when there is nothing to do."""
    arguments: list[str | Path] = ["-m", "crawler", folder, "--data", data, "--json"]
    return run(arguments), run(arguments)
