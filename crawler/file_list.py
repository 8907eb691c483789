"""The msgpack file list: what the scan hands to the reader, whole or not at all.

Format: a stream of msgpack objects. First the header, a map with `version`, the fields of Asked
and of FileListHeader (paths as bin), `count`, and `folders`: for each an array [path, digest,
number, length], the last three of its records. Then `count` records, folder by folder, each an
array [path (bin), size in bytes, mtime in nanoseconds].
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType

import msgpack

from library.errors import FileListError, StorageError
from library.models import FileEntry
from library.remedy import remedy

_VERSION = 2
_DIGEST_BYTES = 16
_PACK_BYTES = 2**17


@dataclass(frozen=True, slots=True)
class Asked:
    """What a crawl was asked: a run that was cut off is continued only by its like."""

    roots: tuple[bytes, ...]
    excludes: tuple[bytes, ...] = ()
    raw_beside_jpeg: bool = False
    rehash: bool = False
    retry: bool = False
    prune: bool = False


@dataclass(frozen=True, slots=True)
class FileListHeader:
    """What a scan was asked and what it could look at. `started` is Unix time.

    `walked` are the roots that were there and held pictures: only below them may a file that is
    not listed be taken for missing, and not below the `unreadable` folders. `skipped` counts by
    kind the files that were passed over.
    """

    asked: Asked
    walked: tuple[bytes, ...]
    unreadable: tuple[bytes, ...]
    skipped: dict[str, int]
    started: float


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
        self._packer = msgpack.Packer(buf_size=_PACK_BYTES)
        self._folders: list[tuple[bytes, bytes, int, int]] = []

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
            raise StorageError(
                f"cannot write {self._path}: {error.strerror}{remedy(error.strerror)}"
            ) from error

    def write(self, folder: bytes, entries: Sequence[FileEntry]) -> None:
        """Add the records of a folder, in the order that its digest shall depend on."""
        # Packed as one array, whose head is left away: a call a record takes twice as long.
        head = len(self._packer.pack_array_header(len(entries)))
        records = self._packer.pack(entries)[head:]
        self._body.write(records)
        self._folders.append((folder, _digest(records), len(entries), len(records)))
        self.count += len(entries)

    def finish(self, header: FileListHeader) -> None:
        """Make the list visible under its name."""
        self._body.close()
        flat = {name: value for name, value in asdict(header).items() if name != "asked"}
        flat |= {**asdict(header.asked), "count": self.count, "folders": self._folders}
        with self._partial.open("wb") as out:
            out.write(self._packer.pack({"version": _VERSION, **flat}))
            with self._body_path.open("rb") as body:
                shutil.copyfileobj(body, out)
        self._partial.replace(self._path)


class FileList:
    """A list that is whole. Raises FileListError when the file is none, or was cut off."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as stream:
                unpacker = msgpack.Unpacker(stream, use_list=False, max_buffer_size=0)
                flat = next(unpacker, None)
                self._start = unpacker.tell()
        except (OSError, ValueError, msgpack.UnpackException) as error:
            raise FileListError(f"cannot read the file list {path}: {error}") from error
        if not isinstance(flat, dict) or flat.get("version") != _VERSION:
            raise FileListError(f"{path} is not a file list of this version")
        asked = Asked(**{field.name: flat.pop(field.name) for field in fields(Asked)})
        self._folders = flat.pop("folders")
        self.count: int = flat.pop("count")
        del flat["version"]
        self.header = FileListHeader(asked=asked, **flat)
        if path.stat().st_size != self._start + sum(length for *_, length in self._folders):
            raise FileListError(f"{path} was cut off, or is longer than its header says")

    @property
    def digests(self) -> dict[bytes, bytes]:
        """For each folder what tells its records from any others: empty when it has none."""
        digests: dict[bytes, bytes] = {}
        for folder, digest, number, _ in self._folders:
            digests[folder] = digests.get(folder, b"") + (digest if number else b"")
        return digests

    def entries(self, folders: Collection[bytes]) -> Iterator[FileEntry]:
        """The records of some folders."""
        with self._path.open("rb") as stream:
            stream.seek(self._start)
            for folder, _, _, length in self._folders:
                if folder in folders:
                    unpacker = msgpack.Unpacker(use_list=False, max_buffer_size=0)
                    unpacker.feed(stream.read(length))
                    yield from unpacker
                else:
                    stream.seek(length, 1)


def _digest(records: bytes) -> bytes:
    return hashlib.blake2b(records, digest_size=_DIGEST_BYTES).digest()
