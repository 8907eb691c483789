"""A file -> content hash, metadata, thumbnail and model input, from one read and one decode."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import threading
from dataclasses import dataclass
from typing import BinaryIO

from library import photos, vectors
from library.database import Database
from library.errors import PhotoError
from library.files import FailureKind
from library.memory import DECODING
from library.models import Metadata, Work
from library.spaces import Space
from library.thumbnails import Thumbnails
from mlx_clip import Encoder, Pixels

_HASH_BYTES = 16
# Larger files are hashed from the disk, so that a scan of half a gigabyte is not held in memory.
_IN_MEMORY = 64 * 2**20
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture that the model has not seen: its thumbnail is stored, its pixels wait."""

    work: Work
    content_hash: bytes
    size: int
    mtime_ns: int
    metadata: Metadata
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class Known:
    """A file whose content has a vector already: a copy, or one that was renamed or restored."""

    work: Work
    content_hash: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that could not be read (the disk said no) or decoded (it is no sound picture)."""

    work: Work
    reason: str
    kind: FailureKind


@dataclass(frozen=True, slots=True)
class Vanished:
    """A file that was gone when its turn came."""

    work: Work


Outcome = Decoded | Known | Failed | Vanished


class Reader:
    """Reads files for one space. `read` may be called from several threads."""

    def __init__(
        self,
        database: Database,
        space: Space,
        encoder: Encoder,
        thumbnails: Thumbnails,
        max_megapixels: int,
    ) -> None:
        self._database = database
        self._space = space
        self._encoder = encoder
        self._thumbnails = thumbnails
        self.max_megapixels = max_megapixels
        self._processors = threading.BoundedSemaphore(os.cpu_count() or 1)
        # Twice what the model sees keeps its input as good as from a full decode.
        self.least = max(2 * encoder.image_size, photos.THUMBNAIL_SIZE)

    def read(self, work: Work) -> Outcome:
        """Read one file. Nothing that is wrong with it raises: see Failed and Vanished."""
        try:
            with open_file(work.path) as stream:
                return self._read(work, stream)
        except FileNotFoundError:
            return Vanished(work)
        except PhotoError as error:
            return Failed(work, str(error), "undecodable")
        except OSError as error:
            return Failed(work, f"cannot be read: {error.strerror or error}", "unreadable")

    def _read(self, work: Work, stream: BinaryIO) -> Outcome:
        info = os.fstat(stream.fileno())
        if info.st_size == 0:
            raise PhotoError("the file is empty")
        if info.st_size <= _IN_MEMORY:
            data = stream.read()
            content_hash = hashlib.blake2b(data, digest_size=_HASH_BYTES).digest()
            stream = io.BytesIO(data)
        else:
            content_hash = _hash_of(stream)
        if vectors.exists(self._database.connection, self._space, content_hash):
            return Known(work, content_hash, info.st_size, info.st_mtime_ns)
        header = photos.read_header(stream, self.least, self.max_megapixels)
        # More decodes at once than processors would be no faster, and hold more memory.
        with DECODING.reserve(header.megapixels, self.max_megapixels), self._processors:
            photo = photos.decode(header, self.least, info.st_size)
            self._thumbnails.write(content_hash, photos.thumbnail(photo))
            pixels = self._encoder.preprocess(photo.image)
        return Decoded(work, content_hash, info.st_size, info.st_mtime_ns, photo.metadata, pixels)


def open_file(path: bytes) -> BinaryIO:
    """Open a regular file for reading; never wait for the other end of what became a FIFO."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("it is no regular file any more")
    return os.fdopen(descriptor, "rb")


def _hash_of(stream: BinaryIO) -> bytes:
    digest = hashlib.blake2b(digest_size=_HASH_BYTES)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    stream.seek(0)
    return digest.digest()
