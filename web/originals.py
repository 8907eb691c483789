"""Originals: the file behind a picture, found by id and served only while it is what was read."""

from __future__ import annotations

import os
import sqlite3
import stat
from dataclasses import dataclass

from library import files
from library.models import PictureDetails, PictureFile

_MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "DIB": "image/bmp",
    "TIFF": "image/tiff",
    "HEIF": "image/heif",
    "JXL": "image/jxl",
    "CR2": "image/x-canon-cr2",
    "CR3": "image/x-canon-cr3",
    "NEF": "image/x-nikon-nef",
    "ARW": "image/x-sony-arw",
    "DNG": "image/x-adobe-dng",
    "ORF": "image/x-olympus-orf",
    "RAF": "image/x-fuji-raf",
    "RW2": "image/x-panasonic-rw2",
    "MP4": "video/mp4",
    "MOV": "video/quicktime",
    "WEBM": "video/webm",
    "MATROSKA": "video/x-matroska",
}
_SHOWN_BY_BROWSERS = frozenset({"JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP"})
_SEE_THROUGH = frozenset({"PNG", "GIF", "WEBP", "AVIF"})


@dataclass(frozen=True, slots=True)
class Original:
    """A file that holds a picture's content now, as far as size and mtime tell."""

    file: PictureFile
    media_type: str

    @property
    def path(self) -> str:
        """The path as the file system's functions take it."""
        return os.fsdecode(self.file.path)

    @property
    def download_name(self) -> str:
        """The file's name, free of what does not belong into a header."""
        return "".join(letter if letter.isprintable() else "_" for letter in self.file.name)


def find(connection: sqlite3.Connection, details: PictureDetails) -> Original | None:
    """The first of a picture's files that can be served, or None.

    A file counts when it lies below a folder that was crawled, is a regular file, and has the size
    and mtime of the moment it was read: anything else may be another content by now.
    """
    bounds = [files.subtree(root) for root in files.roots(connection)]
    for file in details.files:
        below = any(first <= file.path < end for first, end in bounds)
        if file.missing_since is None and below and _is_unchanged(file):
            return Original(file, media_type(details.metadata.format))
    return None


def media_type(picture_format: str) -> str:
    """The media type of a recorded format; what is not listed is bytes and nothing more."""
    return _MEDIA_TYPES.get(picture_format, "application/octet-stream")


def browsers_show(picture_format: str) -> bool:
    """Whether every current browser shows this format in a page."""
    return picture_format in _SHOWN_BY_BROWSERS


def is_video(picture_format: str) -> bool:
    """Whether the picture is a frame of a video."""
    return media_type(picture_format).startswith("video/")


def may_be_see_through(picture_format: str) -> bool:
    """Whether pictures of this format can have transparent parts."""
    return picture_format in _SEE_THROUGH


def _is_unchanged(file: PictureFile) -> bool:
    try:
        found = os.stat(file.path)
    except (OSError, ValueError):
        return False
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_size == file.size
        and found.st_mtime_ns == file.mtime_ns
    )
