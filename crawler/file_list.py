"""The msgpack file list: what the scan hands to the reader, whole or not at all.

Format: a stream of msgpack objects. First the header, a map with `version`, `roots`, `walked`,
`unreadable` (paths as bin), `started` (Unix time, float) and `count`; then `count` records, each
an array [path (bin), size in bytes, mtime in nanoseconds].
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import msgpack

from library.errors import FileListError, StorageError
from library.models import FileEntry

_VERSION = 1


@dataclass(frozen=True, slots=True)
class FileListHeader:
    """What a scan was asked and what it could look at.

    `walked` are the roots that were there and held pictures: only below them may a file that is
    not listed be taken for missing, and not below the `unreadable` folders.
    """

    roots: tuple[bytes, ...]
    walked: tuple[bytes, ...]
    unreadable: tuple[bytes, ...]
    started: float
    count: int


class FileListWriter:
    """Writes records to a temporary file; `finish` puts the header before them and renames.

    As a context manager it raises StorageError when the disk does not take them.
    """

    def __init__(self, path: Path) -> None:
        self.count = 0
        self._path = path
        self._partial = path.with_suffix(".partial")
        self._body_path = path.with_suffix(".records")
        self._body = self._body_path.open("wb")
        self._packer = msgpack.Packer()

    def __enter__(self) -> FileListWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):  # what is left to flush may not fit either
            self._body.close()
        self._body_path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            self._partial.unlink(missing_ok=True)
            raise StorageError(f"cannot write {self._path}: {error.strerror}") from error

    def write(self, entry: FileEntry) -> None:
        """Add a record."""
        self._body.write(self._packer.pack((entry.path, entry.size, entry.mtime_ns)))
        self.count += 1

    def finish(self, header: FileListHeader) -> None:
        """Make the list visible under its name."""
        self._body.close()
        with self._partial.open("wb") as out:
            out.write(self._packer.pack({"version": _VERSION, **asdict(header)}))
            with self._body_path.open("rb") as body:
                shutil.copyfileobj(body, out)
        self._partial.replace(self._path)


def read_header(path: Path) -> FileListHeader | None:
    """The header of a list, or None when there is no list.

    Raises FileListError when the file is none of ours.
    """
    try:
        with path.open("rb") as stream:
            fields = next(iter(msgpack.Unpacker(stream)), None)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, msgpack.UnpackException) as error:
        raise FileListError(f"cannot read the file list {path}: {error}") from error
    if not isinstance(fields, dict) or fields.pop("version", None) != _VERSION:
        raise FileListError(f"{path} is not a file list of this version")
    paths = {name: tuple(fields[name]) for name in ("roots", "walked", "unreadable")}
    return FileListHeader(**paths, started=fields["started"], count=fields["count"])


def read_entries(path: Path) -> Iterator[FileEntry]:
    """The records of a list. Raises FileListError when there are fewer than its header says."""
    with path.open("rb") as stream:
        unpacker = msgpack.Unpacker(stream)
        count = next(unpacker)["count"]
        read = 0
        for path_bytes, size, mtime_ns in unpacker:
            read += 1
            yield FileEntry(path_bytes, size, mtime_ns)
    if read != count:
        raise FileListError(f"{path} was cut off: it names {read} of {count} files")
