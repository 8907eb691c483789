"""What is asked of a map: a prompt or a picture -> clusters and items; and the pages of items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request, url_for
from PIL import Image

from library import collections, images, item_pictures, maps
from library.maps import Map
from search.map_picture import title
from search.parser import parse
from search.projection import is_installed
from search.query import Query
from search.styles import Answer, FoundCluster, FoundItem, Styles
from web import grid, guard
from web.grid import Tile
from web.language import gettext
from web.maps import ID, newest_map, shown_clusters, shown_map, strip
from web.paging import page_number
from web.pictures import uploaded
from web.site import the_site

blueprint = Blueprint("ask", __name__)

CLUSTERS, ITEMS = 5, 6
_PROMPTS = 20


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item that fits."""

    found: FoundItem
    url: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """A cluster that fits."""

    found: FoundCluster
    title: str
    url: str
    percent: int
    tiles: tuple[Tile, ...]
    items: tuple[ShownItem, ...]


@blueprint.get("/styles")
def page() -> str:
    """The clusters and items that fit a prompt best; the maps there are, and how to build one."""
    return styles_page()


@blueprint.post("/styles")
def by_picture() -> str:
    """The clusters and items nearest to a picture that is sent; it is not kept."""
    return styles_page(uploaded(the_site()))


@blueprint.get(f"/items/{ID % 'item_id'}")
def item(item_id: int) -> str:
    """An item: what is said of it, and its pictures a page at a time."""
    site, connection = the_site(), the_site().database.connection
    found = collections.item(connection, item_id)
    if found is None:
        abort(404, gettext("There is no item with this number."))
    ids, page, size = (
        collections.images_of(connection, item_id),
        page_number(),
        site.settings.num_image_results,
    )
    part = ids[(page - 1) * size : page * size]
    there = images.present(connection, part)
    newest = chosen_map()
    said = item_pictures.of_item(connection, item_id)
    collection = next(
        each for each in collections.collections(connection) if each.id == found.collection_id
    )
    return render_template(
        "item.html",
        item=found,
        collection=collection,
        total=len(ids),
        tiles=grid.tiles(there[image_id] for image_id in part if image_id in there),
        apart=site.styles.spread(newest, ids) if newest and len(ids) > 1 else None,
        prompts=[one.prompt for one in said if one.prompt][:_PROMPTS],
        damaged=sum(one.failure is not None for one in said),
        page=page,
        more=url_for(".item", item_id=item_id, page=page + 1) if len(ids) > page * size else None,
    )


@blueprint.get(f"/collections/{ID % 'collection_id'}")
def collection(collection_id: int) -> str:
    """The items of a collection, by name."""
    connection = the_site().database.connection
    known = {one.id: one for one in collections.collections(connection)}
    if collection_id not in known:
        abort(404, gettext("There is no collection with this number."))
    return render_template(
        "collection.html",
        collection=known[collection_id],
        items=collections.items(connection, collection_id),
    )


def styles_page(given: Image.Image | None = None) -> str:
    """The page of styles, with an answer where something is asked."""
    site = the_site()
    connection = site.database.connection
    text = request.values.get("q", "").strip()
    one = chosen_map()
    answer = None
    if one is not None and (text or given is not None):
        answer = ask(site.styles, one, parse(text), given)
    return render_template(
        "styles.html",
        text=text,
        map=one,
        maps=[shown_map(each) for each in maps.maps(connection)],
        answer=answer,
        clusters=shown_clusters(one) if one and answer is None else [],
        answers=_shown(one, answer) if one and answer else [],
        job=site.map_job.state,
        installed=is_installed(),
        may_build=guard.is_from_this_machine(),
        collections=collections.collections(connection),
    )


def chosen_map() -> Map | None:
    """The map that the request names, else the newest that the model in use understands."""
    wanted = request.values.get("map", "")
    if not wanted:
        return newest_map()
    every = {str(one.id): one for one in maps.maps(the_site().database.connection)}
    if wanted not in every:
        abort(404, gettext("There is no map with this number."))
    return every[wanted]


def ask(
    styles: Styles,
    one: Map,
    query: Query,
    given: Image.Image | None,
    clusters: int = CLUSTERS,
    items: int = ITEMS,
) -> Answer:
    """What a map answers. The request ends with 400 for a query without terms."""
    vector = the_site().engine.vector(query, given)
    if vector is None:
        abort(400, gettext("Say what it should look like in words, or with a picture."))
    return styles.ask(one, vector, clusters, items)


def _shown(one: Map, answer: Answer) -> list[ShownAnswer]:
    ids = [i for found in answer.clusters for i in _examples(found)]
    tiles = strip(ids)

    def some(image_ids: Sequence[int]) -> tuple[Tile, ...]:
        return tuple(tiles[i] for i in image_ids if i in tiles)

    return [
        ShownAnswer(
            found,
            title(found.cluster),
            url_for("maps.cluster", map_id=one.id, number=found.cluster.number + 1),
            grid.percent(found.score) or 0,
            some(found.examples),
            tuple(
                ShownItem(each, url_for(".item", item_id=each.item.id), some(each.examples))
                for each in found.items
            ),
        )
        for found in answer.clusters
    ]


def _examples(found: FoundCluster) -> list[int]:
    return [*found.examples, *(i for each in found.items for i in each.examples)]
