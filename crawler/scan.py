"""Folders -> the picture files below them."""

from __future__ import annotations

import os
import stat
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from crawler.contents import Contents, Root, is_hidden
from crawler.selection import Selection
from library.models import FileEntry

Listing = tuple[bytes, list[FileEntry]]
"""A folder and picture files in it, in the order of the disk."""


class Walk:
    """Iterates over the folders below some roots that hold pictures, as Listing.

    Symbolic links are followed after everything that lies there for real, and only to what the
    walk has not met yet, so loops end and a link never hides the real path; a folder with links
    to files comes again for them. The folder `apart` is never looked into. What cannot be read is
    kept in `unreadable`; `walked` names the roots that held pictures, and `skipped` counts by kind
    what the selection passed over, once the walk is over.
    """

    def __init__(
        self,
        roots: Iterable[bytes],
        selection: Selection | None = None,
        apart: Path | None = None,
    ) -> None:
        self.unreadable: list[bytes] = []
        self.skipped: Counter[str] = Counter()
        self._selection = selection or Selection()
        self._roots = [Root(path, self._selection.excludes_below(path)) for path in roots]
        self._held_pictures: set[bytes] = set()
        self._folders: set[tuple[int, int]] = set()
        if apart is not None and apart.is_dir():
            self._is_new_folder(apart.stat())
        self._links: deque[tuple[Root, bytes]] = deque()
        self._linked_files: set[tuple[int, int]] = set()
        self._by_links: defaultdict[bytes, list[FileEntry]] = defaultdict(list)

    @property
    def walked(self) -> tuple[bytes, ...]:
        """The roots that were there and held pictures, be it such as were passed over."""
        return tuple(root.path for root in self._roots if root.path in self._held_pictures)

    def __iter__(self) -> Iterator[Listing]:
        for root in self._roots:
            yield from self._tree(root, root.path)
        while self._links:
            yield from self._link(*self._links.popleft())
        yield from self._by_links.items()

    def _tree(self, root: Root, top: bytes) -> Iterator[Listing]:
        pending = [top]
        while pending:
            path = pending.pop()
            try:
                if not self._is_new_folder(os.stat(path)):
                    self._held_pictures.update({path} & {root.path})  # it is in another root's
                    continue
                contents = Contents(path, root, self._selection)
            except OSError:
                self.unreadable.append(path)
                continue
            self._note(root, path, contents)
            pending.extend(reversed(contents.folders))
            if contents.files:
                yield path, contents.files

    def _is_new_folder(self, info: os.stat_result) -> bool:
        identity = (info.st_dev, info.st_ino)
        if identity in self._folders:
            return False
        self._folders.add(identity)
        return True

    def _note(self, root: Root, path: bytes, contents: Contents) -> None:
        if contents.held_pictures:
            self._held_pictures.add(root.path)
        if contents.unreadable:
            self.unreadable.append(path)
        self.skipped.update(contents.skipped)
        self._links.extend((root, link) for link in contents.links)

    def _link(self, root: Root, path: bytes) -> Iterator[Listing]:
        """Follow a link to a folder; one to a file is put by, for its folder to come again."""
        try:
            info = os.stat(path)
            target = os.path.realpath(path, strict=True)
            parent = os.stat(os.path.dirname(target))
        except OSError:  # it leads nowhere, or round in a circle
            return
        if stat.S_ISDIR(info.st_mode):
            if not root.excludes_folder(path):
                yield from self._tree(root, path)
        elif stat.S_ISREG(info.st_mode) and self._selection.reads(path):
            identity = (info.st_dev, info.st_ino)
            in_walk = (parent.st_dev, parent.st_ino) in self._folders
            name = os.path.basename(target)
            met = in_walk and self._selection.reads(target) and not is_hidden(name)
            if not met and identity not in self._linked_files:
                self._linked_files.add(identity)
                self._held_pictures.add(root.path)
                self._by_links[os.path.dirname(path)].append((path, info.st_size, info.st_mtime_ns))
