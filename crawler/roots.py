"""The folders that a crawl begins at: in one spelling, and none below another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from library.files import subtree


def outermost(folders: Iterable[bytes], remembered: Sequence[bytes] = ()) -> tuple[bytes, ...]:
    """Absolute paths in order, without those that lie below another of them.

    A folder that is one of the `remembered` roots, or lies below one, is spelled as that was,
    whatever links or letters lead to it now: so no file is ever known by two paths.
    """
    identities = {_identity(root): root for root in remembered}
    identities.pop(None, None)
    kept: list[bytes] = []
    for folder in sorted({_spelled(os.path.abspath(folder), identities) for folder in folders}):
        if not any(is_below(folder, root) for root in kept):
            kept.append(folder)
    return tuple(kept)


def is_below(path: bytes, root: bytes) -> bool:
    """Whether a path lies below a folder, judged by the paths alone."""
    first, end = subtree(root)
    return first <= path < end


_Identity = tuple[int, int]


def _spelled(folder: bytes, known: dict[_Identity | None, bytes]) -> bytes:
    """A folder as the library would name it, else as its disk does."""
    if folder in known.values():
        return folder
    identity = _identity(folder)
    if identity is None:
        return folder
    parent, name = os.path.split(folder)
    if identity in known:
        return known[identity]
    if not name:
        return folder
    return os.path.join(_spelled(parent, known), _name_on_disk(parent, name, identity))


def _name_on_disk(parent: bytes, name: bytes, identity: _Identity) -> bytes:
    """The name that a disk, which may ignore case or Unicode's forms, has for an entry."""
    try:
        names = os.listdir(parent)
    except OSError:
        return name
    if name in names:
        return name
    alike = (other for other in names if _identity(os.path.join(parent, other)) == identity)
    return next(alike, name)


def _identity(path: bytes) -> _Identity | None:
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_dev, info.st_ino
