"""The cache of thumbnails: a file a picture, named for its content."""

from __future__ import annotations

import os
import threading
from pathlib import Path


class Thumbnails:
    """Thumbnails below a folder, by content hash. What is lost can be made again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, content_hash: bytes) -> Path:
        """Where a picture's thumbnail lies, or would."""
        name = content_hash.hex()
        return self.directory / name[:2] / f"{name}.jpg"

    def write(self, content_hash: bytes, jpeg: bytes) -> None:
        """Store a thumbnail whole or not at all."""
        path = self.path(content_hash)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two threads may meet copies of one picture at once, so the name is the thread's own.
        partial = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        partial.write_bytes(jpeg)
        partial.replace(path)
