"""Files that a crawl may have died of are decoded by a process of their own first."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from crawler.in_hand import InHand
from crawler.read import Failed, Outcome, Reader
from library.apart import DecoderProcess
from library.errors import PhotoError
from library.models import Work


class CarefulReader:
    """Reads files, and those that a process may have died of only after one that may."""

    def __init__(self, reader: Reader, in_hand: InHand) -> None:
        self._reader = reader
        self._in_hand = in_hand

    def read(self, work: Work) -> Outcome:
        """Read one file; see Reader.read. May be called from several threads."""
        if self._in_hand.is_suspect(work.path):
            reason = self._deadly(work)
            self._in_hand.tried(work.path)
            if reason is not None:
                return Failed(work, reason, "undecodable")
        with self._in_hand.holding(work.path):
            return self._reader.read(work)

    def _deadly(self, work: Work) -> str | None:
        """Why the process that decodes a file ends; None where it does not, whatever it says."""
        path = Path(os.fsdecode(work.path))
        with closing(DecoderProcess()) as process:
            try:
                process.decode(path, self._reader.least, self._reader.max_megapixels)
            except (PhotoError, OSError) as error:
                return None if process.is_alive else str(error)
        return None
