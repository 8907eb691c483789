"""Whether every picture has its thumbnail, every thumbnail its picture, and whether they open."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from library import images, photos
from library.checks.finding import Finding, Patient, ok
from library.errors import PhotoError
from library.thumbnails import Thumbnails, file_name

_ENOUGH = 500
_CHUNK = 2**20
_PART = 1  # of each folder of a larger library
_LENGTH = len(file_name(bytes(16)))


def complete(patient: Patient) -> Finding:
    """Whether the thumbnails are those of the pictures that are there, and nothing else."""
    lacking, strangers = _differences(patient)
    if patient.crawl:
        strangers = []  # of pictures that are committed in a moment
    problems = []
    if lacking:
        problems.append(
            f"pictures without one: {len(lacking):,} (the site makes each when it is shown)"
        )
    if strangers:
        problems.append(f"files that are no picture's: {len(strangers):,}")
    return patient.mending("; ".join(problems)) if problems else ok("one for each picture")


def make_complete(patient: Patient) -> str:
    """Remove what is no picture's, and make what is lacking from the originals."""
    lacking, strangers = _differences(patient)
    for path in strangers:
        path.unlink(missing_ok=True)
    made = sum(_make(patient, content_hash) for content_hash in lacking)
    lost = len(lacking) - made
    text = f"Thumbnails made: {made:,}; files removed that were no picture's: {len(strangers):,}"
    note = f"; not made, as the originals are gone or changed: {lost:,}" if lost else ""
    return f"{text}{note}."


def sound(patient: Patient) -> Finding:
    """Whether thumbnails can be decoded; of a large library, some of each folder."""
    looked, damaged = _damaged(patient, patient.thorough)
    if damaged:
        what = f"thumbnails that cannot be opened: {len(damaged):,} of {looked:,}"
        return patient.mending(what)
    total = images.count(patient.connection)
    part = f"; looked at {looked:,} of {total:,}, --thorough looks at all" if looked < total else ""
    return ok(f"they open{part}")


def make_sound(patient: Patient) -> str:
    """Remove the thumbnails that cannot be decoded, of all, and make them again."""
    _, damaged = _damaged(patient, thorough=True)
    for path in damaged:
        path.unlink(missing_ok=True)
    return f"Damaged thumbnails removed: {len(damaged):,}. {make_complete(patient)}"


def _differences(patient: Patient) -> tuple[list[bytes], list[Path]]:
    """The pictures with a present file that lack a thumbnail, and the files that are none."""
    thumbnails = Thumbnails(patient.settings.thumbnail_dir)
    lacking: list[bytes] = []
    strangers: list[Path] = []
    for number, folder in enumerate(thumbnails.folders):
        there = set(thumbnails.list_folder(folder))
        known = set(map(file_name, images.hashes(patient.connection, number)))
        if there == known:
            continue
        strangers += [thumbnails.directory / folder / name for name in sorted(there - known)]
        if not known <= there:
            present = images.hashes(patient.connection, number, present=True)
            lacking += [content for content in present if file_name(content) not in there]
    return lacking, strangers


def _damaged(patient: Patient, thorough: bool) -> tuple[int, list[Path]]:
    """How many thumbnails were decoded, and those that cannot be."""
    all_of_them = thorough or images.count(patient.connection) <= _ENOUGH
    looked, damaged = 0, []
    for path in _paths(Thumbnails(patient.settings.thumbnail_dir), None if all_of_them else _PART):
        looked += 1
        if not _opens(path):
            damaged.append(path)
    return looked, damaged


def _paths(thumbnails: Thumbnails, each: int | None) -> Iterator[Path]:
    for folder in thumbnails.folders:
        directory = thumbnails.directory / folder
        if directory.is_dir():
            with os.scandir(directory) as entries:
                pictures = (Path(entry.path) for entry in entries if len(entry.name) == _LENGTH)
                yield from islice(pictures, each)


def _opens(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):  # as Pillow puts it
        return False
    return True


def _make(patient: Patient, content_hash: bytes) -> bool:
    """Make a picture's thumbnail, from whichever of its files still holds it."""
    for path in _files(patient.connection, content_hash):
        with contextlib.suppress(OSError, PhotoError), path.open("rb") as stream:
            if _hash_of(stream, len(content_hash)) == content_hash:
                least, most = photos.THUMBNAIL_SIZE, patient.settings.max_image_megapixels
                header = photos.read_header(stream, least, most)
                photo = photos.decode(header, least, byte_size=0)
                thumbnails = Thumbnails(patient.settings.thumbnail_dir)
                thumbnails.write(content_hash, photos.thumbnail(photo))
                return True
    return False


def _hash_of(stream: BinaryIO, length: int) -> bytes:
    digest = hashlib.blake2b(digest_size=length)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    stream.seek(0)
    return digest.digest()


def _files(connection: sqlite3.Connection, content_hash: bytes) -> list[Path]:
    image_id = images.find(connection, content_hash)
    details = images.get(connection, image_id) if image_id else None
    files = details.files if details else ()
    return [
        path
        for file in files
        if file.missing_since is None and (path := Path(os.fsdecode(file.path))).is_file()
    ]
