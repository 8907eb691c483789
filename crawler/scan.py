"""Folders -> the picture files below them."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator

from library.files import subtree
from library.formats import readable
from library.models import FileEntry

SKIPPED_FOLDERS = frozenset((b"@eaDir", b"node_modules"))
"""Beside every hidden name (`.git`, `._IMG_1.jpg`): thumbnails and code, nobody's photos."""


def outermost(folders: Iterable[bytes]) -> tuple[bytes, ...]:
    """Absolute paths in order, without those that lie below another of them."""
    kept: list[bytes] = []
    for folder in sorted({os.path.abspath(folder) for folder in folders}):
        if not any(is_below(folder, root) for root in kept):
            kept.append(folder)
    return tuple(kept)


def is_below(path: bytes, root: bytes) -> bool:
    """Whether a path lies below a folder, judged by the paths alone."""
    first, end = subtree(root)
    return first <= path < end


class Walk:
    """Iterates over the picture files below some roots, as FileEntry, once each.

    Symbolic links are followed after everything that lies there for real, and only to what the
    walk has not met yet, so loops end and a link never hides the real path. What cannot be read
    is kept in `unreadable`; `walked` names the roots that gave pictures, once the walk is over.
    """

    def __init__(self, roots: Iterable[bytes]) -> None:
        self.roots = tuple(roots)
        self.unreadable: list[bytes] = []
        self._found = dict.fromkeys(self.roots, 0)
        self._folders: set[tuple[int, int]] = set()
        self._linked_files: set[tuple[int, int]] = set()
        self._links: deque[bytes] = deque()

    @property
    def walked(self) -> tuple[bytes, ...]:
        """The roots that were there and held pictures."""
        return tuple(root for root, found in self._found.items() if found)

    def __iter__(self) -> Iterator[FileEntry]:
        for entry in self._everything():
            for root in self.roots:
                if is_below(entry.path, root):
                    self._found[root] += 1
                    break
            yield entry

    def _everything(self) -> Iterator[FileEntry]:
        for root in self.roots:
            yield from self._tree(root)
        while self._links:
            yield from self._link(self._links.popleft())

    def _tree(self, top: bytes) -> Iterator[FileEntry]:
        pending = [top]
        while pending:
            folder = pending.pop()
            subfolders: list[bytes] = []
            for entry in self._entries(folder):
                if entry.is_symlink():
                    self._links.append(entry.path)
                elif entry.is_dir():
                    subfolders.append(entry.path)
                elif _is_picture_name(entry.name) and (found := _file_entry(entry)):
                    yield found
            pending.extend(reversed(subfolders))

    def _entries(self, folder: bytes) -> list[os.DirEntry[bytes]]:
        """What lies in a folder, by name; nothing when it was met before or cannot be read."""
        try:
            if not self._is_new_folder(os.stat(folder)):
                return []
            with os.scandir(folder) as entries:
                kept = [entry for entry in entries if not _is_skipped(entry.name)]
        except OSError:
            self.unreadable.append(folder)
            return []
        return sorted(kept, key=lambda entry: entry.name)

    def _is_new_folder(self, info: os.stat_result) -> bool:
        identity = (info.st_dev, info.st_ino)
        if identity in self._folders:
            return False
        self._folders.add(identity)
        return True

    def _link(self, path: bytes) -> Iterator[FileEntry]:
        try:
            info = os.stat(path)
            target = os.path.realpath(path, strict=True)
            parent = os.stat(os.path.dirname(target))
        except OSError:  # it leads nowhere, or round in a circle
            return
        if stat.S_ISDIR(info.st_mode):
            yield from self._tree(path)
        elif stat.S_ISREG(info.st_mode) and _is_picture_name(os.path.basename(path)):
            identity = (info.st_dev, info.st_ino)
            in_walk = (parent.st_dev, parent.st_ino) in self._folders
            name = os.path.basename(target)
            met = in_walk and _is_picture_name(name) and not _is_skipped(name)
            if not met and identity not in self._linked_files:
                self._linked_files.add(identity)
                yield FileEntry(path, info.st_size, info.st_mtime_ns)


def _is_skipped(name: bytes) -> bool:
    return name.startswith(b".") or name in SKIPPED_FOLDERS


def _is_picture_name(name: bytes) -> bool:
    return os.path.splitext(name)[1].lower() in readable()


def _file_entry(entry: os.DirEntry[bytes]) -> FileEntry | None:
    """The entry when it is a regular file that is still there: no FIFO, socket or device."""
    try:
        info = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    if not stat.S_ISREG(info.st_mode):
        return None
    return FileEntry(entry.path, info.st_size, info.st_mtime_ns)
