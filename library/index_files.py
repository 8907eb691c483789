"""IndexFiles: where the index lies, who holds it, and whether it was left in good order.

Apart from index.py, so that nobody pays the second that importing chromadb takes for a look.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class IndexFiles:
    """The index's files below a library's folder."""

    data_dir: Path

    @property
    def directory(self) -> Path:
        """Chroma's own folder; it can be deleted while nobody holds it."""
        return self.data_dir / "chroma"

    @property
    def lock(self) -> Path:
        """Locked by the one process that has the index open."""
        return self.data_dir / "chroma.lock"

    @property
    def mark(self) -> Path:
        """There while the index is open, with its owner's name; found at opening: a crash."""
        return self.data_dir / "chroma.open"

    @property
    def stamp(self) -> Path:
        """What its files were when it was closed in good order."""
        return self.data_dir / "chroma.closed"

    def owner(self) -> str:
        """Who holds the index, or held it last, in words."""
        try:
            return self.mark.read_text(encoding="utf-8")
        except OSError:
            return "another process"

    def set_owner(self, owner: str) -> None:
        """Leave the mark."""
        self.mark.write_text(f"{owner}, process {os.getpid()}", encoding="utf-8")

    def is_there(self) -> bool:
        """Whether there is an index at all."""
        return (self.directory / "chroma.sqlite3").is_file()

    def were_closed(self) -> bool:
        """Whether there is an index that was closed in good order, and not touched since."""
        try:
            closed = not self.mark.exists() and self.stamp.read_text(encoding="ascii")
            return closed == self._stamp_now()
        except (OSError, ValueError):
            return False

    def set_closed(self) -> None:
        """Remove the mark: it is closed in good order. On a disk that is full the mark stays."""
        with suppress(OSError):
            self.stamp.write_text(self._stamp_now(), encoding="ascii")
            self.mark.unlink(missing_ok=True)

    def _stamp_now(self) -> str:
        """Sizes and times: whoever damages a file leaves another one or the other."""
        found = sorted(
            (os.fsencode(path), (info := path.stat()).st_size, info.st_mtime_ns)
            for path in self.directory.rglob("*")
            if path.is_file()
        )
        return hashlib.blake2b(repr(found).encode(), digest_size=16).hexdigest()

    def discard(self) -> None:
        """Remove an index that cannot be trusted; everything in it can be made again."""
        if self.directory.exists():
            broken = self.directory.with_name(f"chroma.damaged-{os.getpid()}")
            self.directory.rename(broken)  # at once: a half-removed index must never be opened
            shutil.rmtree(broken, ignore_errors=True)
