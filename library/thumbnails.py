"""The cache of thumbnails: a file a picture, named for its content."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from library.errors import StorageError


class Thumbnails:
    """Thumbnails below a folder, by content hash. What is lost can be made again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, content_hash: bytes) -> Path:
        """Where a picture's thumbnail lies, or would."""
        name = content_hash.hex()
        return self.directory / name[:2] / f"{name}.jpg"

    def by_folder(self) -> Iterator[list[bytes]]:
        """The content hashes that have a thumbnail, some hundreds at a time."""
        for folder in self.directory.glob("??"):
            yield [bytes.fromhex(path.stem) for path in folder.glob(f"{'[0-9a-f]' * 32}.jpg")]

    def remove(self, content_hash: bytes) -> None:
        """Remove a thumbnail, if it is there."""
        self.path(content_hash).unlink(missing_ok=True)

    def write(self, content_hash: bytes, jpeg: bytes) -> None:
        """Store a thumbnail whole or not at all. Raises StorageError when there is no room."""
        path = self.path(content_hash)
        # Two threads may meet copies of one picture at once, so the name is the thread's own.
        partial = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(jpeg)
            partial.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise StorageError(f"cannot write {path}: {error.strerror}") from error
