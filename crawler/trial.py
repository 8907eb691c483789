"""One file decoded in a process of its own: `python -m crawler.trial LEAST MEGAPIXELS FILE`."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from crawler.in_hand import InHand
from crawler.read import Failed, Outcome, Reader, open_file
from library import photos
from library.errors import PhotoError
from library.models import Work

_ROOT = Path(__file__).parent.parent


class CarefulReader:
    """Reads files, and those that a process may have died of only after one that may."""

    def __init__(self, reader: Reader, in_hand: InHand) -> None:
        self._reader = reader
        self._in_hand = in_hand

    def read(self, work: Work) -> Outcome:
        """Read one file; see Reader.read. May be called from several threads."""
        if self._in_hand.is_suspect(work.path):
            crash = _crash(work.path, self._reader.least, self._reader.max_megapixels)
            self._in_hand.tried(work.path)
            if crash is not None:
                return Failed(work, f"crashes its decoder ({crash})", "undecodable")
        with self._in_hand.holding(work.path):
            return self._reader.read(work)


def _crash(path: bytes, least: int, max_megapixels: int) -> str | None:
    """The signal that a process ends by which decodes a file, None where it comes to its end."""
    command = [sys.executable, "-m", "crawler.trial", str(least), str(max_megapixels)]
    done = subprocess.run(
        [*command, os.fsdecode(path)],
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C is for the crawl
    )
    return signal.Signals(-done.returncode).name if done.returncode < 0 else None


def main(arguments: Sequence[str]) -> None:
    """Decode a file as a crawl does; nobody wants to know more than that it came to an end."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    least, max_megapixels, path = arguments
    with suppress(OSError, PhotoError), open_file(os.fsencode(path)) as stream:
        header = photos.read_header(stream, int(least), int(max_megapixels))
        photos.thumbnail(photos.decode(header, int(least), byte_size=0))


if __name__ == "__main__":
    main(sys.argv[1:])
