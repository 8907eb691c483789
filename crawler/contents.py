"""What lies in one folder: its picture files, with size and mtime, and what leads on from it."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass

from crawler.excludes import Excludes
from crawler.selection import Selection, companions
from library.models import FileEntry

SKIPPED_NAMES = frozenset((b"@eaDir", b"node_modules"))
"""Beside every hidden name (`.git`, `._IMG_1.jpg`): thumbnails and code, nobody's photos."""


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that a crawl begins at, and what is excluded below it."""

    path: bytes
    excludes: Excludes | None = None

    def excludes_file(self, path: bytes) -> bool:
        """Whether a file below the root is excluded."""
        return self.excludes is not None and self.excludes.file(os.path.relpath(path, self.path))

    def excludes_folder(self, path: bytes) -> bool:
        """Whether a folder below the root is excluded."""
        return self.excludes is not None and self.excludes.folder(os.path.relpath(path, self.path))


class Contents:
    """What lies in a folder. Raises OSError when it cannot be looked into.

    `files` are its picture files in the order of the disk, `folders` and `links` the paths that
    lead on, by name, and `skipped` counts by kind what the selection passes over. `excluded` is
    True when something was excluded, `unreadable` when a file would not say what it is.
    """

    def __init__(self, path: bytes, root: Root, selection: Selection) -> None:
        self.folders: list[bytes] = []
        self.links: list[bytes] = []
        self.skipped: Counter[str] = Counter()
        self.excluded = False
        self.unreadable = False
        with os.scandir(path) as entries:
            found = list(entries)
        if root.excludes:
            found = [entry for entry in found if not self._is_excluded(entry, root)]
        # For a library that has not changed these lines are the crawl: no loop is as fast as they.
        common, plain = selection.common, selection.plain
        wanted = [
            entry
            for entry in found
            if ((name := entry.name)[-4:] in common or name[name.rfind(b".") :].lower() in plain)
            and not name.startswith(b".")
            and entry.is_file(follow_symlinks=False)
        ]
        if len(wanted) < len(found):
            wanted += self._among_others(found, selection)
        try:
            stats = [entry.stat() for entry in wanted]
        except OSError:
            wanted, stats = self._with_patience(wanted)
        self.files: list[FileEntry] = [
            (entry.path, info.st_size, info.st_mtime_ns)
            for entry, info in zip(wanted, stats, strict=True)
        ]

    @property
    def held_pictures(self) -> bool:
        """Whether there were any, be it such as are passed over: then its disk is there."""
        return bool(self.files or self.skipped) or self.excluded

    def _is_excluded(self, entry: os.DirEntry[bytes], root: Root) -> bool:
        excluded = (
            root.excludes_folder(entry.path)
            if entry.is_dir(follow_symlinks=False)
            else root.excludes_file(entry.path)
        )
        self.excluded |= excluded
        return excluded

    def _among_others(
        self, found: list[os.DirEntry[bytes]], selection: Selection
    ) -> list[os.DirEntry[bytes]]:
        """Keep what leads on; gives the files that are read here, where others may not be."""
        visible = [entry for entry in found if not is_hidden(entry.name)]
        beside = companions(entry.name for entry in visible)
        files = []
        for entry in visible:
            if entry.is_dir(follow_symlinks=False):
                self.folders.append(entry.path)
            elif _extension(entry.name) not in selection.special:
                if entry.is_symlink():
                    self.links.append(entry.path)
            elif kind := selection.why_skipped(entry.name, beside):
                self.skipped[kind] += 1
            elif entry.is_symlink():
                self.links.append(entry.path)
            elif entry.is_file():
                files.append(entry)
        self.folders.sort()
        self.links.sort()
        return files

    def _with_patience(
        self, entries: list[os.DirEntry[bytes]]
    ) -> tuple[list[os.DirEntry[bytes]], list[os.stat_result]]:
        """Those that still are there, and will say what they are."""
        kept, stats = [], []
        for entry in entries:
            try:
                stats.append(entry.stat())
                kept.append(entry)
            except FileNotFoundError:
                pass
            except OSError:
                self.unreadable = True
        return kept, stats


def is_hidden(name: bytes) -> bool:
    """Whether a crawl passes over everything of this name."""
    return name.startswith(b".") or name in SKIPPED_NAMES


def _extension(name: bytes) -> bytes:
    return os.path.splitext(name)[1].lower()
