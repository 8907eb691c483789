"""The pages that people look at. They work without JavaScript."""

from __future__ import annotations

import os
from collections.abc import Sequence

from flask import Blueprint, abort, redirect, render_template, request, url_for
from PIL import Image
from werkzeug.wrappers import Response

from library import files, images
from library.models import Folder, Picture, Results, display_path
from web import grid, originals, trail
from web.details import describe
from web.pictures import fetched, uploaded
from web.site import the_site

blueprint = Blueprint("pages", __name__)

_RECENT = 24
_RANDOM = 48
_SIMILAR = 40
_LAST_PAGE = 1_000_000


@blueprint.get("/")
def home() -> str:
    """The newest pictures and some drawn at random; an invitation while there are none."""
    connection = the_site().database.connection
    recent = images.recent(connection, _RECENT)
    if not recent:
        return render_template("empty.html")
    drawn = images.random(connection, _RANDOM)
    return render_template("home.html", recent=grid.tiles(recent), random=grid.tiles(drawn))


@blueprint.get("/search")
def search() -> str | Response:
    """The pictures that fit some words best, a page at a time; or those like one on the web."""
    if url := request.args.get("url", "").strip():
        return _like(fetched(the_site(), url))
    words = " ".join(request.args.get("q", "").split())
    if not words:
        return redirect(url_for("pages.home"))
    page, size = _page(), the_site().settings.num_image_results
    results = the_site().engine.text(words, size, (page - 1) * size)
    more = page * size < results.total
    return _results(
        words, results, page, url_for(".search", q=words, page=page + 1) if more else None
    )


@blueprint.post("/search")
def search_by_picture() -> str:
    """The pictures nearest to one that was dropped, pasted or chosen; it is not kept."""
    return _like(uploaded(the_site()))


def _like(image: Image.Image) -> str:
    results = the_site().engine.picture(image, the_site().settings.num_image_results)
    return _results(None, results, 1, None)


def _results(words: str | None, results: Results, page: int, more: str | None) -> str:
    first = (page - 1) * the_site().settings.num_image_results + 1
    return render_template(
        "results.html",
        words=words,
        results=results,
        tiles=grid.answers(results.hits),
        first=first,
        last=first + len(results.hits) - 1,
        page=page,
        more=more,
    )


@blueprint.get("/pictures/<int(max=9223372036854775807):image_id>")
def picture(image_id: int) -> str:
    """One picture, what is known of it, and the pictures most like it to walk on to."""
    site = the_site()
    connection = site.database.connection
    details = images.get(connection, image_id)
    if details is None or not details.files:
        abort(404, "There is no picture with this number.")
    walked = trail.before(trail.parse(request.args.get("trail", "")), image_id)
    similar = site.engine.similar(image_id, _SIMILAR)
    onward = trail.extend(walked, image_id)
    return render_template(
        "picture.html",
        picture=describe(details, originals.find(connection, details)),
        walked=_steps(walked),
        columns=grid.columns(grid.answers(similar.hits, onward)),
        similar=similar,
    )


def _steps(walked: trail.Trail) -> list[grid.Tile]:
    """The pictures of a trail, each leading back to the point where it was visited."""
    found = images.present(the_site().database.connection, walked)
    return [
        grid.tile(found[image_id], trail.before(walked, image_id))
        for image_id in walked
        if image_id in found
    ]


@blueprint.get("/folders/<int(max=9223372036854775807):folder_id>")
def folder(folder_id: int) -> str:
    """The pictures that lie directly in a folder, a page at a time."""
    connection = the_site().database.connection
    found = files.folder(connection, folder_id)
    if found is None:
        abort(404, "There is no folder with this number.")
    page, size = _page(), the_site().settings.num_image_results
    pictures = images.in_folder(connection, folder_id, size, (page - 1) * size)
    return _folder_page(found, pictures, page, page * size < found.pictures)


def _folder_page(found: Folder, pictures: Sequence[Picture], page: int, more: bool) -> str:
    return render_template(
        "folder.html",
        folder=found,
        path=display_path(os.path.dirname(found.path)),
        tiles=grid.tiles(pictures),
        page=page,
        more=url_for(".folder", folder_id=found.id, page=page + 1) if more else None,
    )


def _page() -> int:
    """The page asked for, from 1; whatever is no number is the first."""
    text = request.args.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1
    return min(max(1, number), _LAST_PAGE)
