"""CivitAI -> a collection: LoRA models as items, with the pictures that were made with them.

May be cut off anywhere: what is on disk or in the database is not fetched again. Each picture is
written under a temporary name, decoded whole, and renamed; then its row is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from crawler.importers.civitai_api import Asked, CivitaiApi, Lora, RemotePicture
from crawler.importers.polite import PoliteClient, RefusedError, StoppedError, UnreachableError
from library import collections, item_pictures
from library.collections import Collection
from library.database import Database
from library.errors import PhotoError, StorageError
from library.photos import decode, read_header

NAME = "CivitAI"
_LEAST = 256  # px that the check decodes to at least; all of the file is read in any case
_PARTIAL = ".partial"
_MOST_FAILURES = 3  # lists in a row that do not come, until the site is taken for down
_SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif", "HEIF": ".heic"}


@dataclass(slots=True)
class Imported:
    """What an import came to, or has come to so far."""

    items: int = 0
    fetched: int = 0
    known: int = 0
    """Pictures that were there already, by their number or content."""
    damaged: int = 0
    later: int = 0
    """Pictures, or lists of them, that could not be fetched now and may be next time."""
    stopped: bool = False


Told = Callable[[Imported, Lora | None], None]


class Importer:
    """Fetches models and pictures into `folder` and the library.

    `told` hears of each item that is done.
    """

    def __init__(
        self,
        database: Database,
        client: PoliteClient,
        folder: Path,
        max_megapixels: int,
        told: Told = lambda so_far, lora: None,
    ) -> None:
        self._database = database
        self._client = client
        self._api = CivitaiApi(client)
        self._folder = folder
        self._max_megapixels = max_megapixels
        self._told = told
        self._so_far = Imported()
        self._failures = 0

    def run(self, asked: Asked, models: int, per_model: int) -> Imported:
        """Import so many models, with so many pictures of each at most.

        Raises UnreachableError when the site does not answer, StorageError when there is no room;
        what was fetched until then stays.
        """
        self._so_far = Imported()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._database.transaction() as connection:
                collection = collections.remember(
                    connection, NAME, "civitai", os.fsencode(self._folder.resolve())
                )
            for lora in islice(self._api.loras(asked), models):
                self._import(collection, lora, asked, per_model)
                self._told(self._so_far, lora)
        except StoppedError:
            self._so_far.stopped = True
        except RefusedError as error:
            raise UnreachableError(f"the site refuses: {error}") from error
        except OSError as error:
            why = error.strerror or error
            raise StorageError(f"cannot write into {self._folder}: {why}") from error
        return self._so_far

    def _import(self, collection: Collection, lora: Lora, asked: Asked, most: int) -> None:
        with self._database.transaction() as connection:
            item = collections.put_item(connection, collection, str(lora.version_id), lora.about)
        self._so_far.items += 1
        connection = self._database.connection
        if item_pictures.asked(connection, item) >= most:
            self._so_far.known += item_pictures.count(connection, item)
            return
        before = self._so_far.later
        try:
            for picture in islice(self._api.pictures(lora.version_id, asked), most):
                self._take(item, lora, picture)
            self._failures = 0
        except UnreachableError:
            self._failures += 1
            if self._failures == _MOST_FAILURES:
                raise
            self._so_far.later += 1
        except RefusedError:  # it was taken away meanwhile
            pass
        if self._so_far.later == before:
            item_pictures.set_asked(connection, item, most)

    def _take(self, item: int, lora: Lora, picture: RemotePicture) -> None:
        """Fetch a picture, unless it is known by its number, or lies there already."""
        connection = self._database.connection
        known = item_pictures.find(connection, str(picture.id))
        if known is not None:
            self._so_far.known += 1
            self._record(item, picture, known.content_hash, known.failure)
            return
        folder = self._folder / str(lora.model_id)
        for there in sorted(folder.glob(f"{picture.id}.*")):
            if there.suffix != _PARTIAL:  # renamed, and then cut off
                self._so_far.known += 1
                self._record(item, picture, _hash(there.read_bytes()), None)
                return
        try:
            self._fetch(item, folder, picture)
        except UnreachableError:
            self._so_far.later += 1

    def _fetch(self, item: int, folder: Path, picture: RemotePicture) -> None:
        """Fetch a picture; one that is damaged once more, which then is recorded."""
        failure = ""
        for _ in range(2):
            try:
                content = self._client.get(picture.url)
                suffix = self._check(content)
            except RefusedError as error:
                failure = str(error)
                break
            except PhotoError as error:
                failure = str(error)
            else:
                self._keep(item, folder / f"{picture.id}{suffix}", picture, content)
                return
        self._record(item, picture, None, failure)
        self._so_far.damaged += 1

    def _check(self, content: bytes) -> str:
        """Decode a picture whole; gives the suffix of its format. Raises PhotoError."""
        header = read_header(io.BytesIO(content), _LEAST, self._max_megapixels)
        form = decode(header, _LEAST, len(content)).metadata.format
        return _SUFFIXES.get(form, f".{form.lower()}")

    def _keep(self, item: int, path: Path, picture: RemotePicture, content: bytes) -> None:
        """Write a picture, unless its content is there under another number."""
        digest = _hash(content)
        if item_pictures.has_content(self._database.connection, digest):
            self._so_far.known += 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(_PARTIAL)
            try:
                partial.write_bytes(content)
                partial.replace(path)
            except OSError:
                with contextlib.suppress(OSError):
                    partial.unlink()
                raise
            self._so_far.fetched += 1
        self._record(item, picture, digest, None)

    def _record(
        self, item: int, picture: RemotePicture, content_hash: bytes | None, failure: str | None
    ) -> None:
        fetched = item_pictures.Fetched(
            str(picture.id), content_hash, picture.page_url, picture.prompt, failure
        )
        with self._database.transaction() as connection:
            item_pictures.add(connection, item, fetched)


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
