"""The styles of a library: maps of it, their clusters, and what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from library import collections, images, map_points, maps
from library.map_points import NOISE
from library.maps import Cluster, Map
from search.map_build import check_name
from search.map_grow import age_of, is_stale, share_changed
from search.map_picture import title
from search.projection import is_installed
from web import grid, guard
from web.grid import Tile
from web.language import gettext
from web.paging import page_number
from web.site import the_site
from web.trail import Walk

blueprint = Blueprint("maps", __name__)

ID = "<int(max=9223372036854775807):%s>"
_MAP = f"/maps/{ID % 'map_id'}"
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class ShownMap:
    """A map as a list has it."""

    map: Map
    url: str
    age: map_points.Age
    stale: bool
    changed: int
    """How much is not as it was when it was built, in percent."""
    collection: str | None
    usable: bool
    """Whether the model in use understands it."""


@dataclass(frozen=True, slots=True)
class ShownCluster:
    """A cluster as a list has it."""

    cluster: Cluster
    title: str
    url: str
    size: int
    alike: int
    """How alike its pictures are: their mean cosine to the centroid, in percent."""
    tiles: tuple[Tile, ...]


@blueprint.get(_MAP)
def clusters(map_id: int) -> str:
    """The clusters of a map as a list, the largest first."""
    one = find(map_id)
    sizes = map_points.sizes(the_site().database.connection, map_id)
    return render_template(
        "map.html",
        shown=shown_map(one),
        built=datetime.fromtimestamp(one.created),
        clusters=shown_clusters(one),
        noise=sizes.get(NOISE, 0),
        noise_url=url_for(".cluster", map_id=map_id, number="none"),
    )


@blueprint.get(f"{_MAP}/clusters/<number>")
def cluster(map_id: int, number: str) -> str:
    """The pictures of a cluster, the most typical first, a page at a time."""
    one = find(map_id)
    known = {str(each.number + 1): each for each in _clusters(map_id)}
    if number not in known and number != "none":
        abort(404, gettext("There is no cluster with this number."))
    site, page, size = the_site(), page_number(), the_site().settings.num_image_results
    place = known[number].number if number in known else NOISE
    ids = site.styles.typical(one, place)
    part = ids[(page - 1) * size : page * size]
    found = images.present(site.database.connection, part)
    more = len(ids) > page * size
    return render_template(
        "cluster.html",
        map=one,
        cluster=known.get(number),
        title=title(known[number]) if number in known else None,
        total=len(ids),
        tiles=grid.tiles(found[image_id] for image_id in part if image_id in found),
        page=page,
        more=url_for(".cluster", map_id=map_id, number=number, page=page + 1) if more else None,
    )


@blueprint.post("/maps")
def build() -> Response:
    """Build a map, or one anew, in the background."""
    guard.only_from_this_machine()
    form = request.form
    name = check_name(form.get("name") or gettext("Library"))
    method = form.get("method", "kmeans")
    options = ["--method", method if method in ("kmeans", "hdbscan") else "kmeans"]
    number = form.get("clusters", "").strip()
    if number and not (number.isascii() and number.isdigit() and len(number) < 7):
        abort(400, gettext("The number of clusters is a whole number, or left out."))
    if number:
        options += ["--clusters" if options[1] == "kmeans" else "--smallest", number]
    if collection := form.get("collection"):
        options.append(f"--collection={collection}")
    return _begin(name, "build", options)


@blueprint.post(f"{_MAP}/again")
def build_again(map_id: int) -> Response:
    """Build a map anew, as it was built."""
    guard.only_from_this_machine()
    one = find(map_id)
    asked = one.parameters
    options = ["--method", str(asked["method"]), "--seed", str(asked["seed"])]
    for name in ("clusters", "smallest"):
        if asked[name] is not None:
            options += [f"--{name}", str(asked[name])]
    if collection := _collection(one):
        options.append(f"--collection={collection}")
    return _begin(one.name, "build", options)


@blueprint.post(f"{_MAP}/grow")
def grow(map_id: int) -> Response:
    """Place what came into the library since, in the background."""
    guard.only_from_this_machine()
    return _begin(find(map_id).name, "grow", [])


@blueprint.post("/maps/stop")
def stop() -> Response:
    """End what is being built."""
    guard.only_from_this_machine()
    the_site().map_job.stop()
    return redirect(url_for("ask.page"), 303)


@blueprint.post(f"{_MAP}/name")
def rename(map_id: int) -> Response:
    """Give a map another name."""
    guard.only_from_this_machine()
    find(map_id)
    name = check_name(request.form.get("name", ""))
    with the_site().database.transaction() as connection:
        if not maps.rename(connection, map_id, name):
            abort(409, gettext("Another map has this name already."))
    return redirect(url_for(".clusters", map_id=map_id), 303)


@blueprint.post(f"{_MAP}/delete")
def delete(map_id: int) -> Response:
    """Forget a map."""
    guard.only_from_this_machine()
    with the_site().database.transaction() as connection:
        maps.delete(connection, map_id)
    return redirect(url_for("ask.page"), 303)


@blueprint.post(f"{_MAP}/clusters/<int(max=1000000):number>/name")
def name_cluster(map_id: int, number: int) -> Response:
    """Call a cluster something; nothing takes its name away."""
    guard.only_from_this_machine()
    text = request.form.get("name", "").strip()
    name = check_name(text) if text else None
    with the_site().database.transaction() as connection:
        if not maps.name_cluster(connection, map_id, number - 1, name):
            abort(404, gettext("There is no cluster with this number."))
    return redirect(url_for(".clusters", map_id=map_id, _anchor=f"cluster-{number}"), 303)


def find(map_id: int) -> Map:
    """A map; the request ends with 404 where there is none."""
    one = maps.get(the_site().database.connection, map_id)
    if one is None:
        abort(404, gettext("There is no map with this number."))
    return one


def map_url(one: Map, lit: str | None = None) -> str:
    """The page of a map; what a search finds can be lit on it."""
    return url_for("maps.clusters", map_id=one.id, q=lit)


def newest_map() -> Map | None:
    """The newest map that the model in use understands."""
    site = the_site()
    known = maps.maps(site.database.connection)
    return next((one for one in known if one.space_id == site.space.id), None)


def shown_map(one: Map) -> ShownMap:
    """A map with how it stands to the library now."""
    age = age_of(the_site().database, one)
    return ShownMap(
        one,
        map_url(one),
        age,
        is_stale(age),
        round(100 * share_changed(age)),
        _collection(one),
        one.space_id == the_site().space.id,
    )


def shown_clusters(one: Map) -> list[ShownCluster]:
    """The clusters of a map, each with its most typical pictures."""
    connection = the_site().database.connection
    known, sizes = _clusters(one.id), map_points.sizes(connection, one.id)
    tiles = strip([image_id for each in known for image_id in each.medoids])
    return [
        ShownCluster(
            each,
            title(each),
            url_for("maps.cluster", map_id=one.id, number=each.number + 1),
            sizes.get(each.number, 0),
            round(100 * (1 - each.spread)),
            tuple(tiles[i] for i in each.medoids if i in tiles)[:_SHOWN],
        )
        for each in known
    ]


def strip(image_ids: list[int]) -> dict[int, Tile]:
    """Small pictures in a row, by id; those that are gone have none."""
    found = images.present(the_site().database.connection, image_ids)
    return {image_id: grid.tile(picture, Walk()) for image_id, picture in found.items()}


def _clusters(map_id: int) -> list[Cluster]:
    return maps.clusters(the_site().database.connection, map_id)


def _collection(one: Map) -> str | None:
    known = collections.collections(the_site().database.connection)
    return next((each.name for each in known if each.id == one.collection_id), None)


def _begin(name: str, command: str, options: list[str]) -> Response:
    if not is_installed():
        abort(409, gettext("Maps need two more packages: see the page of styles."))
    if not the_site().map_job.start(name, command, options):
        abort(409, gettext("A map is being built already. Wait for its end, or stop it."))
    return redirect(url_for("ask.page"), 303)
