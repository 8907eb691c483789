"""The bytes of pictures: thumbnails, originals, and previews of what browsers do not show."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from flask import Blueprint, Response, abort, request, send_file
from werkzeug.wsgi import wrap_file

from library import images
from library.errors import PhotoError, StorageError
from library.models import PictureDetails
from library.photos import THUMBNAIL_TYPE
from web import originals
from web.language import gettext, gettext_noop
from web.originals import Original
from web.pictures import SMALL, made_preview, made_thumbnail, smaller
from web.said import said
from web.site import the_site

blueprint = Blueprint("media", __name__)

_ID = "<int(max=9223372036854775807):image_id>"
# A picture is its content, so what belongs to its id never changes.
_FOR_EVER = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"

_GONE = gettext_noop(
    "The original is not where it was, or has changed since the last crawl. "
    "Put it back, or crawl its folder again."
)


@blueprint.get(f"/pictures/{_ID}/thumb")
def thumb(image_id: int) -> Response:
    """A picture's thumbnail, made again when the cache has lost it; `size=256` gives it halved."""
    site = the_site()
    content_hash = images.content_hash(site.database.connection, image_id)
    if content_hash is None:
        abort(404, gettext("There is no picture with this number."))
    try:
        jpeg = site.thumbnails.path(content_hash).read_bytes()
    except FileNotFoundError:
        jpeg = _decoded(made_thumbnail, _original(_details(image_id)))
        with suppress(StorageError):  # a disk that is full: it is made again next time
            site.thumbnails.write(content_hash, jpeg)
    if request.args.get("size") == str(SMALL):
        return _kept(smaller(jpeg), f"{content_hash.hex()}-{SMALL}")
    return _kept(jpeg, content_hash.hex())


@blueprint.get(f"/pictures/{_ID}/preview")
def preview(image_id: int) -> Response:
    """A JPEG of the original, for formats that browsers do not show themselves, and for videos."""
    details = _details(image_id)
    original = _original(details)
    tag = f"{details.content_hash.hex()}-preview"
    if request.if_none_match.contains(tag):
        return _kept(b"", tag)
    return _kept(_decoded(made_preview, original), tag)


@blueprint.get(f"/pictures/{_ID}/file")
def file(image_id: int) -> Response:
    """The original, while it is there and unchanged; with `download` as a file to be kept."""
    details = _details(image_id)
    original = _original(details)
    response = send_file(
        original.path,
        mimetype=original.media_type,
        as_attachment="download" in request.args,
        download_name=original.download_name,
        conditional=True,
        etag=details.content_hash.hex(),
        last_modified=datetime.fromtimestamp(original.file.mtime_ns / 1e9, timezone.utc),
    )
    response.headers["Cache-Control"] = _ASK_AGAIN
    if response.status_code == 206 and "wsgi.file_wrapper" in request.environ:
        _send_by_itself(response, original.path)
    return response


def _send_by_itself(response: Response, path: str) -> None:
    """Have the server send a part of a file as it sends whole ones, while its threads do others.

    Werkzeug gives it out piece by piece, so that each video that is paused would hold a thread.
    """
    response.response.close()  # type: ignore[union-attr]  # a file, from the part on
    stream = open(path, "rb")  # noqa: SIM115  # the server closes it
    stream.seek(response.content_range.start or 0)
    response.response = wrap_file(request.environ, stream)


def _details(image_id: int) -> PictureDetails:
    details = images.get(the_site().database.connection, image_id)
    if details is None:
        abort(404, gettext("There is no picture with this number."))
    return details


def _original(details: PictureDetails) -> Original:
    original = originals.find(the_site().database.connection, details)
    if original is None:
        abort(404, gettext(_GONE))
    return original


def _decoded(make: Callable[[Path, int], bytes], original: Original) -> bytes:
    try:
        return make(Path(original.path), the_site().settings.max_image_megapixels)
    except OSError:
        abort(404, gettext(_GONE))
    except PhotoError as error:
        abort(404, gettext("The picture cannot be shown: %(reason)s.", reason=said(str(error))))


def _kept(jpeg: bytes, tag: str) -> Response:
    """An answer that browsers keep; 304 when they have it already."""
    response = Response(jpeg, mimetype=THUMBNAIL_TYPE)
    response.set_etag(tag)
    response.headers["Cache-Control"] = _FOR_EVER
    response.make_conditional(request)
    return response
