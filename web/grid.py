"""Tiles: pictures as the pages lay them out, with their shapes known before anything loads.

The content security policy forbids styles in the HTML, so a shape is a class: ratios of width to
height fall into geometric buckets 5% apart, whose classes are in static/src/ratios.css (made by
tools/ratios.py). At most 2.5% of a picture between LEAST and MOST is cropped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from flask import url_for

from library import images
from library.models import Hit, Picture, display_path
from library.photos import THUMBNAIL_SIZE
from web import originals
from web.address import Address
from web.pictures import SMALL
from web.site import the_site
from web.trail import Walk

LEAST = 0.4
MOST = 3.2
_STEP = 1.05
BUCKETS = round(math.log(MOST / LEAST, _STEP)) + 1


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture in a grid. `width` and `height` are the thumbnail's, in pixels."""

    id: int
    name: str
    bucket: int
    width: int
    height: int
    colour: str
    url: str
    thumb: str
    small: str | None
    """The thumbnail at half its size; None where it is small itself."""
    closeness: int | None = None
    """Cosine similarity in percent, 0 to 100, where the picture is an answer."""
    video: bool = False
    nearer: str | None = None
    """The search that shows more like this picture, or where it is an answer goes on with it."""
    farther: str | None = None
    """The search that shows less like it."""
    places: tuple[str, ...] = ()
    """Its files, where it lies in several."""
    alike: int = 0
    """How many near duplicates of it rank behind it and are not shown."""
    group: int | None = None
    """The group of near duplicates that it stands for."""

    @property
    def ratio(self) -> float:
        """Width over height as it is shown."""
        return ratio(self.bucket)


def bucket(width: int, height: int) -> int:
    """The number of the bucket that a picture's shape falls into."""
    ratio = min(MOST, max(LEAST, width / max(1, height)))
    return round(math.log(ratio / LEAST, _STEP))


def ratio(number: int) -> float:
    """Width over height of a bucket."""
    return float(LEAST * _STEP**number)


def tiles(pictures: Iterable[Picture]) -> list[Tile]:
    """Pictures that stand for themselves."""
    found = _tiles([(picture, None) for picture in pictures], Walk())
    return [replace(each, nearer=Address("").towards(each.id).url()) for each in found]


def answers(hits: Iterable[Hit], walk: Walk) -> list[Tile]:
    """Hits, with their closeness; `walk` is what leads to each of them."""
    return _tiles([(hit.picture, percent(hit.score)) for hit in hits], walk)


def refinable(found: Iterable[Tile], address: Address) -> list[Tile]:
    """Answers to a search, each with the ways to refine that by it."""
    return [
        replace(
            each,
            nearer=address.towards(each.id).url(),
            farther=address.away_from(each.id).url(),
        )
        for each in found
    ]


def columns(pictures: Sequence[Tile]) -> tuple[list[Tile], list[Tile]]:
    """Two columns of about the same height, the closest pictures at the top of both."""
    left: list[Tile] = []
    right: list[Tile] = []
    left_height = right_height = 0.0
    for tile in pictures:
        if left_height <= right_height:
            left.append(tile)
            left_height += 1 / ratio(tile.bucket)
        else:
            right.append(tile)
            right_height += 1 / ratio(tile.bucket)
    return left, right


def percent(score: float | None) -> int | None:
    """A cosine similarity as a share of the whole bar; None where there is none."""
    return None if score is None else round(100 * min(1.0, max(0.0, score)))


def thumb_url(image_id: int, size: int | None = None) -> str:
    """The address of a thumbnail, which browsers may keep for as long as this library lives.

    `size` is SMALL, or None for the thumbnail as it lies on disk.
    """
    return url_for("media.thumb", image_id=image_id, size=size, v=the_site().library_id)


def _tiles(pictures: Sequence[tuple[Picture, int | None]], walk: Walk) -> list[Tile]:
    connection = the_site().database.connection
    places = images.places(connection, [picture.id for picture, _ in pictures])
    return [
        tile(picture, walk, closeness, places.get(picture.id, ()))
        for picture, closeness in pictures
    ]


def tile(
    picture: Picture, walk: Walk, closeness: int | None = None, places: Sequence[bytes] = ()
) -> Tile:
    """A picture whose page continues `walk`."""
    longest = max(picture.width, picture.height)
    scale = min(1.0, THUMBNAIL_SIZE / longest)
    return Tile(
        picture.id,
        picture.name,
        bucket(picture.width, picture.height),
        max(1, round(picture.width * scale)),
        max(1, round(picture.height * scale)),
        picture.colour,
        walk.url(picture.id),
        thumb_url(picture.id),
        thumb_url(picture.id, SMALL) if longest > SMALL else None,
        closeness,
        originals.is_video(picture.format),
        places=tuple(map(display_path, places)),
    )
