"""Maps and styles in the JSON API; a map's points as bytes."""

from __future__ import annotations

import gzip
import hashlib
import struct
from typing import Any

import numpy as np
from flask import Blueprint, Response, abort, request, url_for
from PIL import Image
from werkzeug.exceptions import BadRequest

from library import map_points, maps
from library.map_points import Points
from library.maps import Cluster, Map
from search.map_picture import title
from search.parser import parse
from search.styles import Answer, FoundItem
from web.ask import CLUSTERS, ITEMS, ask, chosen_map
from web.grid import thumb_url
from web.maps import ID, find, shown_map
from web.pictures import uploaded
from web.site import the_site

blueprint = Blueprint("maps_api", __name__, url_prefix="/api/v1")

Json = dict[str, Any]

_MAGIC = b"KMP1"
_NO_CLUSTER = 0xFFFF
_MOST = 50


@blueprint.get("/maps")
def every_map() -> Json:
    """Every map, the newest first, and how far it is from the library as it is now."""
    known = maps.maps(the_site().database.connection)
    return {"maps": [_map(one) for one in known]}


@blueprint.get(f"/maps/{ID % 'map_id'}")
def one_map(map_id: int) -> Json:
    """A map and its clusters."""
    one = find(map_id)
    connection = the_site().database.connection
    sizes = map_points.sizes(connection, map_id)
    clusters = maps.clusters(connection, map_id)
    return {
        **_map(one),
        "figures": one.figures,
        "clusters": [_cluster(one, each, sizes.get(each.number, 0)) for each in clusters],
    }


@blueprint.get(f"/maps/{ID % 'map_id'}/points")
def points(map_id: int) -> Response:
    """The points of a map that are there, column by column, little-endian.

    "KMP1", the count n as uint32, then n picture ids as uint32, n x, n y (0 to 65535) and n
    clusters (65535: none) as uint16 each: 8 + 10 n bytes, by cluster and then by id.
    """
    find(map_id)
    content = packed(map_points.points(the_site().database.connection, map_id))
    digest = hashlib.blake2b(content, digest_size=12).hexdigest()
    compressed = request.accept_encodings.quality("gzip") > 0
    response = Response(mimetype="application/octet-stream")
    response.set_etag(f"{digest}-gzip" if compressed else digest)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept-Encoding"
    if response.make_conditional(request).status_code != 304:
        response.set_data(gzip.compress(content, 6, mtime=0) if compressed else content)
        if compressed:
            response.headers["Content-Encoding"] = "gzip"
    return response


@blueprint.get("/styles")
def styles() -> Json:
    """The clusters and items of a map that fit the query `q` best."""
    if not request.args.get("q", "").strip():
        abort(400, "Say what it should look like: /api/v1/styles?q=watercolour")
    return _answer(None)


@blueprint.post("/styles")
def styles_by_picture() -> Json:
    """Those nearest to the picture in the multipart field `image`, and to the query `q`."""
    return _answer(uploaded(the_site()))


def packed(points: Points) -> bytes:
    """Points as they are sent."""
    clusters = np.where(points.clusters < 0, _NO_CLUSTER, points.clusters)
    return b"".join(
        (
            _MAGIC,
            struct.pack("<I", len(points)),
            points.image_ids.astype("<u4").tobytes(),
            *(column.astype("<u2").tobytes() for column in (points.x, points.y, clusters)),
        )
    )


def _answer(given: Image.Image | None) -> Json:
    one = chosen_map()
    if one is None:
        abort(404, "There is no map yet: python -m search map build")
    clusters, items = _number("limit", CLUSTERS), _number("items", ITEMS)
    query = parse(request.values.get("q", ""))
    answer = ask(the_site().styles, one, query, given, clusters, items)
    return {"map": one.id, "lead": answer.lead, "clear": answer.clear, **_found(one, answer)}


def _found(one: Map, answer: Answer) -> Json:
    return {
        "clusters": [
            {
                **_cluster(one, found.cluster, found.size),
                "score": found.score,
                "examples": [_picture(image_id) for image_id in found.examples],
                "items": [_item(each) for each in found.items],
            }
            for found in answer.clusters
        ]
    }


def _item(found: FoundItem) -> Json:
    about = found.item.about
    return {
        "id": found.item.id,
        "name": about.name,
        "version": about.version,
        "creator": about.creator,
        "base_model": about.base_model,
        "words": list(about.words),
        "tags": list(about.tags),
        "score": found.score,
        "pictures": found.pictures,
        "spread": found.apart.spread,
        "consistent": found.apart.consistent,
        "examples": [_picture(image_id) for image_id in found.examples],
        "urls": {"page": url_for("ask.item", item_id=found.item.id), "source": about.page_url},
    }


def _map(one: Map) -> Json:
    shown = shown_map(one)
    return {
        "id": one.id,
        "name": one.name,
        "created": one.created,
        "collection": shown.collection,
        "usable": shown.usable,
        "parameters": one.parameters,
        "pictures": shown.age.points,
        "placed": shown.age.placed,
        "waiting": shown.age.waiting,
        "gone": shown.age.gone,
        "stale": shown.stale,
        "urls": {"page": shown.url, "points": url_for(".points", map_id=one.id)},
    }


def _cluster(one: Map, cluster: Cluster, size: int) -> Json:
    return {
        "number": cluster.number,
        "title": title(cluster),
        "name": cluster.name,
        "labels": list(cluster.labels),
        "pictures": size,
        "spread": cluster.spread,
        "x": cluster.x,
        "y": cluster.y,
        "medoids": list(cluster.medoids),
        "urls": {"page": url_for("maps.cluster", map_id=one.id, number=cluster.number + 1)},
    }


def _picture(image_id: int) -> Json:
    urls = {"page": url_for("pages.picture", image_id=image_id), "thumb": thumb_url(image_id)}
    return {"id": image_id, "urls": urls}


def _number(name: str, usual: int) -> int:
    text = request.values.get(name, str(usual))
    if text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= _MOST:
        return int(text)
    raise BadRequest(f"{name} must be a whole number from 1 to {_MOST}.")
