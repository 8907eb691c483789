"""A Chromium for the browser tests: found, else fetched, else asked for.

Part of `make test`'s set-up. It always succeeds: without a Chromium the browser tests fail and
say so, the other tests run.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys

from tests.chromium import MISSING, find_chromium

FETCH = (sys.executable, "-m", "playwright", "install", "chromium")
PATIENCE = 300  # seconds; a network that drops everything would hold the tests up for longer


def main() -> None:
    """Make sure of a Chromium, or say what to install."""
    if find_chromium():
        return
    print("Fetching a Chromium for the browser tests.", flush=True)
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(FETCH, capture_output=True, timeout=PATIENCE, check=False)
    if not find_chromium():
        print(MISSING, file=sys.stderr)


if __name__ == "__main__":
    main()
