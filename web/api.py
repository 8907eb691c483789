"""The JSON API, version 1. Errors are {"error": {"code", "message"}}: see errors.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flask import Blueprint, abort, request, url_for
from werkzeug.exceptions import BadRequest

from library import counts, images
from library.crawl_lock import crawl_at_work
from library.models import Hit, PictureDetails, PictureFile, Results, display_path
from search.duplicates import Group
from search.parser import parse
from web import originals
from web.cursors import START, Cursor, following, parse_cursor
from web.grid import thumb_url
from web.pictures import fetched, uploaded
from web.refinement import parse_refinement
from web.site import the_site

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

Json = dict[str, Any]

_MOST = 500
_DEEPEST = 10_000_000
_ID = "<int(max=9223372036854775807):image_id>"


@blueprint.get("/status")
def status() -> Json:
    """The library in numbers, the model, whether index and database agree, a crawl at work."""
    site = the_site()
    numbers = counts.count(site.database.connection, site.space)
    holds = site.keeper.count()
    crawl = crawl_at_work(site.settings.data_dir)
    return {
        "counts": {
            "files": numbers.files,
            "pictures": numbers.pictures,
            "encoded": numbers.encoded,
            "failed": numbers.failed,
            "missing": numbers.missing,
        },
        "model": {
            "name": site.model.name,
            "space": site.space.key,
            "dim": site.space.dim,
            "starter": site.model.starter,
            "runtime": site.model.runtime,
            "why": site.model.why,
        },
        "index": {
            "state": site.keeper.state,
            "owner": site.keeper.owner,
            "left": site.keeper.left,
            "holds": holds,
            "expected": numbers.vectors,
            "agrees": holds == numbers.vectors == numbers.indexed,
        },
        "crawl": None if crawl is None else asdict(crawl),
    }


@blueprint.get("/search")
def search() -> Json:
    """The pictures that fit the query `q` best, drawn towards those of `more`, away from `less`.

    Or those nearest to the picture at `url`. `from` is the `next` of a page before; with it nothing
    is repeated or skipped.
    """
    query = parse(request.args.get("q", ""))
    refinement = parse_refinement(request.args)
    if url := request.args.get("url", "").strip():
        limit, offset = _window()
        return _results(
            the_site().engine.search(query, limit, offset, given=fetched(the_site(), url))
        )
    if not query and not refinement:
        abort(400, "Say what to look for: /api/v1/search?q=dog")
    limit, offset = _window()
    cursor = parse_cursor(request.args.get("from", ""))
    results = the_site().engine.search(
        query, limit, offset, cursor.place, more=refinement.more, less=refinement.less
    )
    return _results(results, cursor)


@blueprint.post("/search")
def search_by_picture() -> Json:
    """The pictures nearest to the one in the multipart field `image`, and to the query `q`."""
    limit, offset = _window()
    query = parse(request.values.get("q", ""))
    image = uploaded(the_site())
    return _results(the_site().engine.search(query, limit, offset, given=image))


@blueprint.post("/embed")
def embed() -> Json:
    """The vector of the multipart field `image`, or of the JSON field `text`."""
    engine = the_site().engine
    if request.is_json:
        fields = request.get_json()
        text = fields.get("text") if isinstance(fields, dict) else None
        if not isinstance(text, str):
            abort(400, 'Send a text: {"text": "a dog"}')
        vector = engine.embed_text(text)
    else:
        vector = engine.embed_picture(uploaded(the_site()))
    return {"model": the_site().model.name, "vector": vector.tolist()}


@blueprint.get(f"/pictures/{_ID}")
def picture(image_id: int) -> Json:
    """What is known of one picture: metadata, all its files."""
    return _picture(_details(image_id))


@blueprint.get(f"/pictures/{_ID}/similar")
def similar(image_id: int) -> Json:
    """The pictures nearest to one of the library's, itself left out."""
    _details(image_id)
    limit, offset = _window()
    return _results(the_site().engine.similar(image_id, limit, offset))


@blueprint.get("/duplicates")
def duplicates() -> Json:
    """The groups of duplicates, those first that take most; `state` is "looking" at the start."""
    limit, offset = _window()
    groups = the_site().duplicates.groups()
    return {
        "state": "looking" if groups is None else "known",
        "groups": [_group(group) for group in (groups or ())[offset : offset + limit]],
        "total": len(groups or ()),
        "bytes_to_free": sum(group.bytes_to_free for group in groups or ()),
        "model": the_site().model.name,
    }


def _details(image_id: int) -> PictureDetails:
    details = images.get(the_site().database.connection, image_id)
    if details is None:
        abort(404, "There is no picture with this number.")
    return details


def _window() -> tuple[int, int]:
    """`limit` and `offset` of the request."""
    usual = the_site().settings.num_image_results
    return _number("limit", usual, 1, _MOST), _number("offset", 0, 0, _DEEPEST)


def _number(name: str, usual: int, least: int, most: int) -> int:
    text = request.values.get(name)
    if text is None:
        return usual
    # The length first: int() refuses thousands of digits with an error of its own.
    if text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most:
        return int(text)
    raise BadRequest(f"{name} must be a whole number from {least} to {most}.")


def _results(results: Results, cursor: Cursor = START) -> Json:
    next_page = following(cursor, results)
    ids = [hit.picture.id for hit in results.hits]
    places = images.places(the_site().database.connection, ids)
    return {
        "hits": [_hit(hit, places.get(hit.picture.id)) for hit in results.hits],
        "total": results.total,
        "line": results.line,
        "next": None if next_page is None else str(next_page),
        "source": results.source,
        "seconds": round(results.seconds, 4),
        "model": the_site().model.name,
    }


def _hit(hit: Hit, places: Sequence[bytes] | None) -> Json:
    return {
        "id": hit.picture.id,
        "score": None if hit.score is None else round(hit.score, 6),
        "width": hit.picture.width,
        "height": hit.picture.height,
        "path": display_path(hit.picture.path),
        "places": [display_path(path) for path in places or (hit.picture.path,)],
        "urls": _urls(hit.picture.id),
    }


def _picture(details: PictureDetails) -> Json:
    metadata = details.metadata
    original = originals.find(the_site().database.connection, details)
    return {
        "id": details.id,
        "content_hash": details.content_hash.hex(),
        "width": metadata.width,
        "height": metadata.height,
        "format": metadata.format,
        "frames": metadata.frames,
        "byte_size": metadata.byte_size,
        "colour": metadata.colour,
        "taken_at": metadata.taken_at,
        "camera": metadata.camera,
        "latitude": metadata.latitude,
        "longitude": metadata.longitude,
        "missing": original is None,
        "files": [_file(file) for file in details.files],
        "urls": _urls(details.id),
    }


def _file(file: PictureFile) -> Json:
    return {
        "path": display_path(file.path),
        "size": file.size,
        "mtime_ns": file.mtime_ns,
        "missing_since": file.missing_since,
    }


def _group(group: Group) -> Json:
    connection = the_site().database.connection
    found = (images.get(connection, image_id) for image_id in group.image_ids)
    return {
        "keep": group.keep,
        "bytes_to_free": group.bytes_to_free,
        "pictures": [
            {**_picture(details), "similarity": similarity}
            for details, similarity in zip(found, group.similarities, strict=True)
            if details is not None
        ],
    }


def _urls(image_id: int) -> dict[str, str]:
    return {
        "page": url_for("pages.picture", image_id=image_id),
        "thumb": thumb_url(image_id),
        "file": url_for("media.file", image_id=image_id),
    }
