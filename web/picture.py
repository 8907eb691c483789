"""The page of one picture: the picture, what is known of it, and where to go on from it."""

from __future__ import annotations

from flask import abort, render_template, request

from library import images
from library.models import PictureDetails
from search.errors import QueryError
from search.parser import parse
from search.query import PictureTerm, Query, with_term
from web import bar, grid, originals, trail
from web.address import Address
from web.details import describe
from web.language import gettext
from web.refinement import parse_refinement
from web.site import the_site
from web.trail import Walk

_SIMILAR = 40


def page(image_id: int) -> str:
    """One picture, and the pictures most like it to walk on to."""
    site = the_site()
    connection = site.database.connection
    details = images.get(connection, image_id)
    if details is None or not details.files:
        abort(404, gettext("There is no picture with this number."))
    query = _query()
    search = Address(str(query), parse_refinement(request.args))
    walk = Walk(trail.parse(request.args.get("trail", "")), search).before(image_id)
    similar = site.engine.similar(image_id, _SIMILAR)
    onward = grid.answers(similar.hits, walk.to(image_id))
    return render_template(
        "picture.html",
        bar=bar.of(query, search.refinement),
        picture=describe(details, originals.find(connection, details)),
        walked=_steps(walk),
        columns=grid.columns(onward),
        closest=onward[0] if onward else None,
        similar=similar,
        search=search,
        similar_url=Address(str(PictureTerm(image_id))).url(),
        added_url=_added(query, search, details),
    )


def _query() -> Query:
    """The query that the walk began with; one that cannot be read is none."""
    try:
        return parse(request.args.get("q", ""))
    except QueryError:
        return Query()


def _added(query: Query, search: Address, details: PictureDetails) -> str:
    """The search with this picture as one more term."""
    return Address(str(with_term(query, PictureTerm(details.id))), search.refinement).url()


def _steps(walk: Walk) -> list[grid.Tile]:
    """The pictures of a walk, each leading back to the point where it was visited."""
    found = images.present(the_site().database.connection, walk.trail)
    return [
        grid.tile(found[image_id], walk.before(image_id))
        for image_id in walk.trail
        if image_id in found
    ]
