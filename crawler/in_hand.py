"""The files in hand: what a crawl was decoding when its process ended.

Decoders are C. A file may crash one, and the process with it, and would do so in every crawl.
So while a file is read its path stands in a file of its own, which outlives the process; the next
crawl has another process decode what it finds there (trial.py) before it does so itself.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from library.errors import StorageError
from library.remedy import remedy

_SLOT = 4096  # bytes: the longest path, and the NUL behind it


class InHand:
    """Paths in slots of a file, a slot for each thread that reads. Close it when all have ended.

    Raises StorageError where there can be no such file. What finds no room in it later is not
    remembered: no crawl ends for that.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._suspects = _left_behind(path)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            why = f"{error.strerror}{remedy(error.strerror)}"
            raise StorageError(f"cannot write {path}: {why}") from error
        self._new = count(os.fstat(self._file).st_size, _SLOT)
        self._free: list[int] = []

    def is_suspect(self, path: bytes) -> bool:
        """Whether a process ended while it had this file in hand."""
        return path in self._suspects

    def tried(self, path: bytes) -> None:
        """It is known what this file does."""
        self._write(self._suspects.pop(path), b"")

    @contextlib.contextmanager
    def holding(self, path: bytes) -> Iterator[None]:
        """The file is in hand."""
        try:
            slot = self._free.pop()
        except IndexError:
            slot = next(self._new)
        self._write(slot, path)
        try:
            yield
        finally:
            self._write(slot, b"")
            self._free.append(slot)

    def close(self) -> None:
        """Nothing is in hand any more; who was not tried is still suspected."""
        os.close(self._file)
        with contextlib.suppress(OSError):
            if self._suspects:
                self._path.write_bytes(
                    b"".join(path.ljust(_SLOT, b"\0") for path in self._suspects)
                )
            else:
                self._path.unlink()

    def _write(self, slot: int, path: bytes) -> None:
        with contextlib.suppress(OSError):
            os.pwrite(self._file, _filled(path), slot)


def _filled(path: bytes) -> bytes:
    return path.ljust(_SLOT, b"\0")


def _left_behind(path: Path) -> dict[bytes, int]:
    """The paths in the file, with their slots."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    slots = range(0, len(content), _SLOT)
    found = {content[slot : slot + _SLOT].partition(b"\0")[0]: slot for slot in slots}
    found.pop(b"", None)
    return found
