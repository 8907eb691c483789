"""Pictures that arrive or have to be made while somebody waits: uploads, previews, lost thumbs."""

from __future__ import annotations

import atexit
import io
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import request
from PIL import Image
from werkzeug.exceptions import BadRequest, Forbidden, ServiceUnavailable

from library.apart import DecoderProcess
from library.errors import PhotoError
from library.formats import EXTRAS
from library.photos import (
    THUMBNAIL_QUALITY,
    THUMBNAIL_SIZE,
    Photo,
    thumbnail,
)
from web.language import gettext
from web.said import said
from web.site import Site

PREVIEW_SIZE = 2048
SMALL = THUMBNAIL_SIZE // 2
# More at a time would leave no processor for searches, nor for the crawl that may be at work.
_MOST_DECODES = 2
_decoding = threading.BoundedSemaphore(_MOST_DECODES)
# What a picture does to its decoder, it does apart. A process takes longer to start than most do.
_idle: deque[DecoderProcess] = deque()
# Each takes one of the server's threads, of which searches and pictures need some.
_uploads = threading.BoundedSemaphore(2 * _MOST_DECODES)
_SECONDS_TO_WAIT = 5


def uploaded(site: Site) -> Image.Image:
    """The picture in the request's `image` field, upright RGB.

    Raises BadRequest, saying what to do, when there is none or it cannot be read, and
    ServiceUnavailable while there are enough already.
    """
    with _turn():
        upload = request.files.get("image")
        content = upload.read() if upload is not None else b""
        if not content:
            raise BadRequest(
                gettext("No picture came with the request. Choose one, or drop it on the page.")
            )
        return _read(site, content)


def fetched(site: Site, url: str) -> Image.Image:
    """The picture at an address on the web, upright RGB.

    Raises Forbidden while that is switched off, BadRequest when there is no picture,
    ServiceUnavailable while there are enough already, and what web/fetch.py says when nothing
    arrives.
    """
    if site.fetcher is None:
        raise Forbidden(
            gettext(
                "Pictures are not fetched from the web. Set SEARCH_BY_URL=on to allow it, or save "
                "the picture and drop it on the page."
            )
        )
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise Forbidden(gettext("This request came from another site, so it was not carried out."))
    with _turn():
        return _read(site, site.fetcher.fetch(url))


@contextmanager
def _turn() -> Iterator[None]:
    """One of the few that may be at it. Raises ServiceUnavailable when all are."""
    if not _uploads.acquire(blocking=False):
        raise ServiceUnavailable(
            gettext("Kindred has its hands full with other pictures. Try again in a moment."),
            retry_after=_SECONDS_TO_WAIT,
        )
    try:
        yield
    finally:
        _uploads.release()


def _read(site: Site, content: bytes) -> Image.Image:
    try:
        least = 2 * site.engine.image_size
        return _decoded(content, least, site.settings.max_image_megapixels).image
    except PhotoError as error:
        reason = said(str(error))
        raise BadRequest(
            gettext("That file cannot be used as a picture: %(reason)s.", reason=reason)
        ) from error


def accepted() -> str:
    """What a file input takes: of what browsers know for no picture, the extensions."""
    extras = (extra.extensions for extra in EXTRAS if extra.installed)
    return ",".join(["image/*", *sorted(name.decode() for name in frozenset().union(*extras))])


def made_thumbnail(path: Path, max_megapixels: int) -> bytes:
    """A thumbnail as the crawler makes it. Raises PhotoError when the file is no picture."""
    return thumbnail(_decoded(path, THUMBNAIL_SIZE, max_megapixels))


def made_preview(path: Path, max_megapixels: int) -> bytes:
    """A JPEG of at most PREVIEW_SIZE pixels, for formats that browsers do not show.

    Raises PhotoError when the file is no picture.
    """
    return thumbnail(_decoded(path, PREVIEW_SIZE, max_megapixels), PREVIEW_SIZE)


def smaller(jpeg: bytes) -> bytes:
    """A thumbnail at SMALL pixels, in a thousandth of a second or two: libjpeg halves it itself.

    A thumbnail that does not open is given as it is.
    """
    out = io.BytesIO()
    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            image.draft("RGB", (SMALL, SMALL))
            image.thumbnail((SMALL, SMALL))
            profile = image.info.get("icc_profile")
            image.save(out, "JPEG", quality=THUMBNAIL_QUALITY, icc_profile=profile)
    except (OSError, SyntaxError):  # what Pillow raises of damaged JPEGs
        return jpeg
    return out.getvalue()


def _decoded(source: bytes | Path, least: int, max_megapixels: int) -> Photo:
    with _decoding:
        process = _idle_process() or DecoderProcess()
        try:
            return process.decode(source, least, max_megapixels)
        finally:
            _idle.append(process)


def _idle_process() -> DecoderProcess | None:
    while _idle:
        process = _idle.pop()
        if process.is_alive:
            return process
    return None


@atexit.register
def _end_idle_processes() -> None:
    while process := _idle_process():
        process.close()
