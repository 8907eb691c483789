"""IndexFiles: where the index lies, who holds it, and whether it was left in good order.

Apart from index.py, so that nobody pays the second that importing chromadb takes for a look.
"""

from __future__ import annotations

import os
import shutil
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
        """Whether there is an index that was closed in good order."""
        return self.is_there() and not self.mark.exists()

    def discard(self) -> None:
        """Remove an index that cannot be trusted; everything in it can be made again."""
        if self.directory.exists():
            broken = self.directory.with_name(f"chroma.damaged-{os.getpid()}")
            self.directory.rename(broken)  # at once: a half-removed index must never be opened
            shutil.rmtree(broken, ignore_errors=True)
