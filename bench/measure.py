"""Whole commands, measured from outside: seconds, processor seconds and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parent.parent
# Linux counts the memory of the process that started a command as the command's own, so a small
# process starts it and gives the figures back on standard error.
_STARTER = """
import json, resource, subprocess, sys, time
started = time.monotonic()
done = subprocess.run(sys.argv[1:], stderr=subprocess.PIPE)
seconds = time.monotonic() - started
if done.returncode:
    sys.exit(done.stderr.decode(errors="replace"))
used = resource.getrusage(resource.RUSAGE_CHILDREN)
peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, peak]), file=sys.stderr)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A command that ended: its seconds by the clock, its peak resident memory, its output."""

    seconds: float
    processor_seconds: float
    """Of all its threads together."""
    peak_bytes: int
    output: str


def run(
    arguments: Sequence[str | Path],
    environment: Mapping[str, str] = MappingProxyType({}),
    python: str | Path = sys.executable,
) -> Run:
    """Run a Python, by default the project's, with these arguments to its end.

    `environment` is added to our own. Raises SystemExit with what it said when it fails.
    """
    done = subprocess.run(
        [sys.executable, "-c", _STARTER, str(python), *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, arguments))} failed:\n{done.stderr}")
    seconds, processor_seconds, peak = json.loads(done.stderr)
    return Run(seconds, processor_seconds, peak, done.stdout)


def crawl_twice(folder: Path, data: Path) -> tuple[Run, Run]:
    """Crawl a folder into a library, and again when there is nothing to do."""
    arguments: list[str | Path] = ["-m", "crawler", folder, "--data", data, "--json"]
    return run(arguments), run(arguments)
