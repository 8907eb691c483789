"""Where folders can be chosen on the page: the user's home, mounted disks, and what is known.

Paths are bytes. Whatever is asked for is resolved first, so that no link and no `..` leads out.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from library.files import subtree
from library.formats import readable
from library.models import display_path
from library.settings import ROOT, Settings
from web.language import gettext

Kind = Literal["home", "pictures", "disk", "library", "samples"]

MOST_FOLDERS = 1_000
"""Folders of one folder that are shown."""


class PlaceError(Exception):
    """A folder that cannot be chosen; the message says why and what to do, `status` in HTTP's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that everything below can be chosen in, resolved."""

    path: bytes
    kind: Kind


@dataclass(frozen=True, slots=True)
class Contents:
    """A folder as it is chosen from: the folders in it, by name, and how many files are pictures.

    `more` folders are not shown. `unreadable` says why it could not be looked into.
    """

    folders: tuple[bytes, ...] = ()
    pictures: int = 0
    more: int = 0
    unreadable: str | None = None


def places(settings: Settings, roots: Iterable[bytes]) -> tuple[Place, ...]:
    """The places there are, each once: the first kind that it is counts."""
    found: dict[bytes, Place] = {}
    for path, kind in _candidates(settings, roots):
        resolved = os.path.realpath(path)
        # A link among the disks may lead to the whole machine, as one does on macOS.
        if os.path.isdir(resolved) and resolved != b"/":
            found.setdefault(resolved, Place(resolved, kind))
    return tuple(found.values())


def chosen(path: bytes, allowed: Iterable[Place]) -> bytes:
    """A folder that was asked for, resolved. Raises PlaceError when it is none, or out of reach."""
    path = os.path.expanduser(path)
    if b"\0" in path or not os.path.isabs(path):
        raise PlaceError(
            gettext("%(path)s: write the whole path, from the first slash on.", path=_said(path)),
            400,
        )
    resolved = os.path.realpath(path)
    if not any(_is_open(resolved, place.path) for place in allowed):
        raise PlaceError(
            gettext(
                "%(path)s is not in your home folder, on a mounted disk, or in the library. "
                "Other folders are read from a terminal: python -m crawler FOLDER",
                path=_said(path),
            ),
            403,
        )
    if not os.path.isdir(resolved):
        raise PlaceError(gettext("There is no folder %(path)s.", path=_said(path)), 404)
    return resolved


def parent(path: bytes, allowed: Iterable[Place]) -> bytes | None:
    """The folder above, where that can be chosen too."""
    above = os.path.dirname(path)
    return above if any(_is_open(above, place.path) for place in allowed) else None


def look(path: bytes, allowed: tuple[Place, ...]) -> Contents:
    """Look into a folder that `chosen` gave."""
    pictures, folders = 0, []
    extensions = readable()
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith(b"."):
                    continue
                if os.path.splitext(entry.name)[1].lower() in extensions:
                    pictures += 1
                elif _can_be_entered(entry, allowed):
                    folders.append(entry.path)
    except OSError as error:
        return Contents(unreadable=error.strerror or str(error))
    folders.sort(key=lambda folder: (os.path.basename(folder).lower(), folder))
    shown = tuple(folders[:MOST_FOLDERS])
    return Contents(shown, pictures, len(folders) - len(shown))


def _can_be_entered(entry: os.DirEntry[bytes], allowed: tuple[Place, ...]) -> bool:
    try:
        if not entry.is_dir():
            return False
        real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
    except OSError:
        return False
    return any(_is_open(real, place.path) for place in allowed)


def _is_open(path: bytes, place: bytes) -> bool:
    """Whether a resolved path is a place or lies below it, and not in a hidden folder there."""
    first, end = subtree(place)
    if path == place:
        return True
    return first <= path < end and b"/." not in path[len(first) - 1 :]


def _candidates(settings: Settings, roots: Iterable[bytes]) -> Iterator[tuple[bytes, Kind]]:
    home = os.fsencode(os.path.expanduser("~"))
    yield os.path.join(home, b"Pictures"), "pictures"
    yield home, "home"
    for disk in _disks():
        yield disk, "disk"
    for root in roots:
        yield root, "library"
    if settings.image_directory:
        yield os.fsencode(settings.image_directory), "library"
    yield os.fsencode(ROOT / "samples"), "samples"


def _disks() -> Iterator[bytes]:
    if sys.platform == "darwin":
        yield from _folders_in(b"/Volumes")
        return
    user = os.fsencode(getpass.getuser())
    yield from _folders_in(b"/media/" + user)
    yield from _folders_in(b"/run/media/" + user)
    yield from [b"/mnt"] if os.path.ismount(b"/mnt") else _folders_in(b"/mnt")


def _folders_in(path: bytes) -> list[bytes]:
    try:
        with os.scandir(path) as entries:
            return sorted(e.path for e in entries if e.is_dir() and not e.name.startswith(b"."))
    except OSError:
        return []


def _said(path: bytes) -> str:
    return display_path(path.replace(b"\0", b"?")) or gettext("No folder")
