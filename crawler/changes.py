"""Changes: what is otherwise in some folders than the library knows, once it stands still."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from crawler.contents import Contents, Root, is_hidden
from crawler.roots import is_below
from crawler.selection import Selection
from library import listings
from library.database import Database
from library.models import FileEntry

SETTLING_SECONDS = 1.0
"""A file whose size and mtime have not changed for so long is taken to be whole."""


class Changes:
    """The folders that something happened in, and the files there that do not stand still yet.

    Each of these is waited for on its own, so one that grows holds up no other. Nothing is kept of
    what was told: a difference is one while the library knows something else. Symbolic links are
    left to a whole crawl, which knows what they lead to: then `needs_crawl` is True.
    """

    def __init__(
        self,
        database: Database,
        roots: Iterable[bytes],
        selection: Selection,
        apart: Path,
    ) -> None:
        self.needs_crawl = False
        self._connection = database.connection
        self._selection = selection
        self._apart = os.path.realpath(os.fsencode(apart))
        self._roots = [Root(path, selection.excludes_below(path)) for path in roots]
        self._real = {root.path: os.path.realpath(root.path) for root in self._roots}
        self._folders: dict[bytes, Root] = {}
        self._vanished: set[bytes] = set()
        self._waiting: dict[bytes, tuple[FileEntry, float]] = {}

    def note(self, paths: Iterable[bytes]) -> None:
        """Something happened to these paths."""
        for path in paths:
            folder, name = os.path.split(path)
            if found := self._place(folder):
                root, folder = found
                self._folders[folder] = root
                self._note(root, os.path.join(folder, name))

    def settled(self, now: float) -> tuple[list[FileEntry], list[bytes]]:
        """Files that are new or changed and stand still at `now`, and paths that are gone.

        They are given again and again, until the library knows of them.
        """
        new: dict[bytes, FileEntry] = {}
        gone = [path for path in self._vanished if self._is_gone(path)]
        self._vanished = set(gone)
        for folder, root in list(self._folders.items()):
            there, not_there = self._differences(folder, root)
            new.update(there)
            gone += not_there
            if not there and not not_there:
                del self._folders[folder]
        before = self._waiting
        self._waiting = {
            path: before[path] if before.get(path, (None,))[0] == entry else (entry, now)
            for path, entry in new.items()
        }
        whole = now - SETTLING_SECONDS
        return [entry for entry, since in self._waiting.values() if since <= whole], gone

    def _place(self, folder: bytes) -> tuple[Root, bytes] | None:
        """A folder by its real path, where that is in a root, as a crawl would meet it."""
        real = os.path.realpath(folder)
        for root in self._roots:
            if real == self._real[root.path] or is_below(real, self._real[root.path]):
                below = os.path.relpath(real, self._real[root.path])
                path = root.path if below == b"." else os.path.join(root.path, below)
                if self._is_looked_into(root, path):
                    return root, path
        for root in self._roots:
            if is_below(folder, root.path) and self._is_looked_into(root, folder):
                return root, folder  # a link leads out of the root
        return None

    def _is_looked_into(self, root: Root, folder: bytes) -> bool:
        """Whether a crawl would look into a folder that it has met."""
        if os.path.realpath(folder) == self._apart or is_below(folder, self._apart):
            return False
        while folder != root.path:
            if is_hidden(os.path.basename(folder)) or root.excludes_folder(folder):
                return False
            folder = os.path.dirname(folder)
        return True

    def _note(self, root: Root, path: bytes) -> None:
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            self._vanished.add(path)
            return
        if stat.S_ISLNK(mode):
            self.needs_crawl |= not is_hidden(os.path.basename(path))
        elif stat.S_ISDIR(mode) and self._is_looked_into(root, path):
            self._add_tree(root, path)

    def _add_tree(self, root: Root, top: bytes) -> None:
        """A folder is new: of what was in it when it came nothing was told."""
        pending = [top]
        while pending:
            folder = pending.pop()
            try:
                contents = Contents(folder, root, self._selection)
            except OSError:
                continue
            self._folders[folder] = root
            self.needs_crawl |= bool(contents.links)
            pending += contents.folders

    def _is_gone(self, path: bytes) -> bool:
        return not os.path.lexists(path) and listings.is_known(self._connection, path)

    def _differences(self, folder: bytes, root: Root) -> tuple[dict[bytes, FileEntry], list[bytes]]:
        """The files that the library knows otherwise or not at all, and those that are gone."""
        try:
            contents = Contents(folder, root, self._selection)
        except (FileNotFoundError, NotADirectoryError):
            self._vanished.add(folder)
            return {}, []
        except OSError:
            return {}, []
        known = listings.known(self._connection, folder)
        there = {entry[0]: entry for entry in contents.files}
        new = {path: entry for path, entry in there.items() if known.get(path) != entry}
        if contents.unreadable:
            return new, []
        return new, [path for path in known.keys() - there.keys() if not os.path.islink(path)]
