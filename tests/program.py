"""`python app.py`, started as a user starts it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def program(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`python app.py` as a process of its own, and the address it prints."""
    command = [sys.executable, "app.py", "--port", "0", *arguments]
    added = {**os.environ, **environment}
    with subprocess.Popen(
        command, cwd=ROOT, env=added, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.fullmatch(r"Kindred is at (http://127\.0\.0\.1:\d+)\n", line)
            assert found, f"the program said {line!r}"
            yield process, found[1]
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(30)
