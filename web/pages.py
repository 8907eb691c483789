"""The pages that people look at. They work without JavaScript."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from flask import Blueprint, abort, redirect, render_template, request, url_for
from PIL import Image
from werkzeug.wrappers import Response

from library import files, images
from library.models import Folder, Results, display_path
from search.fold import fold
from search.parser import parse
from search.query import Query
from web import bar, controls, crawls, grid
from web import picture as picture_page
from web.address import Address
from web.cursors import START, Cursor, following, parse_cursor
from web.language import gettext
from web.paging import page_number, pictures_wanted
from web.pictures import fetched, uploaded
from web.refinement import Refinement, parse_refinement
from web.site import the_site
from web.trail import Walk

blueprint = Blueprint("pages", __name__)

_RECENT = 24
_RANDOM = 48
_UNREFINED = Refinement()


@blueprint.get("/")
def home() -> str:
    """The newest pictures and some others drawn at random; an invitation while there are none."""
    connection = the_site().database.connection
    recent = images.recent(connection, _RECENT)
    if not recent:
        return crawls.invitation()
    shown = {picture.id for picture in recent}
    drawn = images.random(connection, _RANDOM + len(shown))
    others = [one for one in drawn if one.id not in shown][:_RANDOM]
    return render_template(
        "home.html", recent=grid.tiles(recent), random=grid.tiles(others), bar=bar.of(Query())
    )


@blueprint.get("/search")
def search() -> str | Response:
    """The pictures that fit a query best, a page at a time; or those like one on the web."""
    if url := request.args.get("url", "").strip():
        return _like(fetched(the_site(), url))
    sent = controls.sent(request.args)
    query = parse(request.args.get("q", "") if sent is None else sent)
    refinement = parse_refinement(request.args)
    if sent is not None and (query or refinement):
        return redirect(Address(str(query), refinement).url())
    if not query and not refinement:
        return redirect(url_for("pages.home"))
    cursor = parse_cursor(request.args.get("from", ""))
    results = the_site().engine.search(
        query,
        pictures_wanted(),
        after=cursor.place,
        more=refinement.more,
        less=refinement.less,
    )
    return _results(results, query, refinement, cursor)


@blueprint.post("/search")
def search_by_picture() -> str:
    """The pictures nearest to one that was dropped, pasted or chosen; it is not kept."""
    return _like(uploaded(the_site()))


def _like(image: Image.Image) -> str:
    return _results(
        the_site().engine.search(Query(), the_site().settings.num_image_results, given=image)
    )


@blueprint.get("/random")
def surprise() -> Response:
    """A picture drawn at random, to begin a walk at."""
    drawn = images.random(the_site().database.connection, 1)
    if not drawn:
        return redirect(url_for("pages.home"))
    return redirect(url_for("pages.picture", image_id=drawn[0].id))


def _results(
    results: Results,
    query: Query | None = None,
    refinement: Refinement = _UNREFINED,
    cursor: Cursor = START,
) -> str:
    following_page = following(cursor, results)
    address = Address(str(query), refinement) if query is not None else None
    matches, weaker = _tiles(results, address)
    return render_template(
        "results.html",
        query=query,
        bar=bar.of(query or Query(), refinement),
        results=results,
        matches=matches,
        weaker=weaker,
        first=cursor.shown + 1,
        last=cursor.shown + len(results.hits),
        refined=_refined(address),
        unrefined=Address(str(query)).url() if refinement and query else None,
        more=address.url(following_page) if address and following_page else None,
        ended=results.end is None and results.total > the_site().settings.num_image_results,
    )


def _tiles(results: Results, address: Address | None) -> tuple[list[grid.Tile], list[grid.Tile]]:
    """The hits on both sides of the line, of near duplicates the best one."""
    folded = fold(results.hits, the_site().duplicates.group_of)
    tiles = grid.answers([one.hit for one in folded], Walk(search=address or Address("")))
    if address is not None:
        tiles = grid.refinable(tiles, address)
    tiles = [
        replace(t, alike=len(one.others), group=one.group)
        for t, one in zip(tiles, folded, strict=True)
    ]
    if results.line is None:
        return tiles, []
    line = results.line
    matches = sum((one.hit.score or 0) >= line for one in folded)
    return tiles[:matches], tiles[matches:]


def _refined(address: Address | None) -> list[tuple[grid.Tile, bool, str]]:
    """The pictures that a search was refined by, whether towards, and the way back from each."""
    if address is None:
        return []
    more, less = address.refinement.more, address.refinement.less
    found = images.present(the_site().database.connection, (*more, *less))
    return [
        (grid.tile(found[i], Walk()), i in more, address.without(i).url())
        for i in (*more, *less)
        if i in found
    ]


@blueprint.get("/pictures/<int(max=9223372036854775807):image_id>")
def picture(image_id: int) -> str:
    """One picture, what is known of it, and the pictures most like it to walk on to."""
    return picture_page.page(image_id)


@blueprint.get("/folders/<int(max=9223372036854775807):folder_id>")
def folder(folder_id: int) -> str:
    """The pictures that lie directly in a folder, a page at a time."""
    connection = the_site().database.connection
    found = files.folder(connection, folder_id)
    if found is None:
        abort(404, gettext("There is no folder with this number."))
    first = (page_number() - 1) * the_site().settings.num_image_results
    pictures = images.in_folder(connection, folder_id, pictures_wanted(), first)
    return _folder_page(found, grid.tiles(pictures), first)


def _folder_page(found: Folder, tiles: Sequence[grid.Tile], first: int) -> str:
    last, size = first + len(tiles), the_site().settings.num_image_results
    more = url_for(".folder", folder_id=found.id, page=last // size + 1)
    return render_template(
        "folder.html",
        folder=found,
        path=display_path(os.path.dirname(found.path)),
        tiles=tiles,
        first=first + 1,
        last=last,
        page=page_number(),
        more=more if last < found.pictures else None,
        ended=last >= found.pictures > size,
    )
