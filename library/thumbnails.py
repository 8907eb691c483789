"""The cache of thumbnails: a file a picture, named for its content."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from library.errors import StorageError
from library.remedy import remedy

_FOLDERS = tuple(f"{number:02x}" for number in range(256))
# A part of the folders stands for all when they hold more: a look at each of a million files takes
# seconds, and contents are spread over the folders evenly.
_ENOUGH = 5_000


def file_name(content_hash: bytes) -> str:
    """What a picture's thumbnail is called."""
    return f"{content_hash.hex()}.jpg"


class Thumbnails:
    """Thumbnails below a folder, by content hash. What is lost can be made again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, content_hash: bytes) -> Path:
        """Where a picture's thumbnail lies, or would."""
        name = file_name(content_hash)
        return self.directory / name[:2] / name

    def list_folder(self, folder: str) -> list[str]:
        """The names of the files in one of `folders`."""
        try:
            return os.listdir(self.directory / folder)
        except FileNotFoundError:
            return []

    @property
    def folders(self) -> tuple[str, ...]:
        """The names of the folders that thumbnails lie in, by the first byte of the content."""
        return _FOLDERS

    def size(self) -> int:
        """The bytes of all thumbnails, reckoned from a part of them when there are many."""
        files = total = 0
        for looked, folder in enumerate(_FOLDERS):
            if files >= _ENOUGH:
                return total * len(_FOLDERS) // looked
            names = self.list_folder(folder)
            files += len(names)
            total += sum(_size(self.directory / folder / name) for name in names)
        return total

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
            raise StorageError(
                f"cannot write {path}: {error.strerror}{remedy(error.strerror)}"
            ) from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # renamed or removed meanwhile
        return 0
