"""Selection: which files a crawl picks, by their names."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

from crawler.excludes import Excludes
from library.formats import EXTRAS, RAW, readable

BESIDE = "RAW photos beside a JPEG or HEIC"
"""What is counted under this name is skipped by a setting, not for want of a package."""

_COMPANIONS = frozenset(b".jpg .jpeg .jpe .heic .heif .hif".split())


class Selection:
    """The formats that can be read here, without what the library excludes.

    A RAW is passed over where a JPEG or HEIC of the same name lies beside it, unless
    `raw_beside_jpeg`. `plain` are the extensions whose files are always read, `special` those
    whose files `why_skipped` decides about. `common` are plain ones of four bytes, spelled as they
    mostly are: at the end of a name they are found without a search.
    """

    def __init__(self, excludes: Iterable[bytes] = (), raw_beside_jpeg: bool = False) -> None:
        can_read = readable()
        self._excludes = tuple(excludes)
        self._skips_raw = RAW.extensions if not raw_beside_jpeg else frozenset()
        self._lacking = {
            extension: extra.kind
            for extra in EXTRAS
            for extension in extra.extensions
            if extension not in can_read
        }
        self.special = self._skips_raw.union(self._lacking)
        self.plain = can_read - self.special
        self.common = frozenset(
            spelled
            for extension in self.plain
            for spelled in (extension, extension.upper())
            if len(spelled) == 4
        )

    def excludes_below(self, root: bytes) -> Excludes | None:
        """What is excluded below a root; None when nothing is."""
        return Excludes(self._excludes, _ignores_case(root)) if self._excludes else None

    def why_skipped(self, path: bytes, companions: Collection[bytes] = ()) -> str | None:
        """The kind that a file is counted under when it is skipped, or None."""
        stem, extension = os.path.splitext(path.lower())
        if extension in self._skips_raw and stem in companions:
            return BESIDE
        return self._lacking.get(extension)

    def reads(self, path: bytes) -> bool:
        """Whether a file of this name is read when nothing lies beside it."""
        extension = os.path.splitext(path)[1].lower()
        return extension in self.plain or extension in self.special - self._lacking.keys()


def companions(paths: Iterable[bytes]) -> frozenset[bytes]:
    """The JPEGs and HEICs among some paths, in lower case and without their extensions."""
    split = (os.path.splitext(path.lower()) for path in paths)
    return frozenset(stem for stem, extension in split if extension in _COMPANIONS)


def _ignores_case(root: bytes) -> bool:
    """Whether the disk of a folder takes names in capitals for the same names."""
    other = root.swapcase()
    try:
        return other != root and os.path.samefile(root, other)
    except OSError:
        return False
