"""A static picture of a map, for a report: points by cluster, labels beside the largest."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from library.map_points import NOISE, SIDE, Points
from library.maps import Cluster

_PAPER, _INK, _QUIET = (250, 248, 245), (28, 26, 24), (205, 199, 192)
_EDGE = 40
_TURN = 0.618034  # of the circle of hues: neighbours in number are far apart in colour

Colour = tuple[int, int, int]


def draw(
    points: Points, clusters: Sequence[Cluster], sizes: Mapping[int, int], side: int = 1600
) -> Image.Image:
    """A square picture (RGB, `side` pixels) of a map's points, noise in grey, labels in ink."""
    image = Image.new("RGB", (side, side), _PAPER)
    pixels = ImageDraw.Draw(image)
    radius = max(1.0, min(7.0, side / 9 / max(1, len(points)) ** 0.5))
    order = np.argsort(points.clusters, kind="stable")  # noise first, below all
    for place in order.tolist():
        number = int(points.clusters[place])
        x, y = (_pixel(int(axis[place]), side) for axis in (points.x, points.y))
        box = (x - radius, y - radius, x + radius, y + radius)
        pixels.ellipse(box, fill=_QUIET if number == NOISE else colour(number))
    font = ImageFont.load_default(side / 64)
    taken: list[tuple[float, float, float, float]] = []
    for one in sorted(clusters, key=lambda each: -sizes.get(each.number, 0)):
        _label(pixels, one, font, side, taken)
    return image


def save(path: Path, image: Image.Image) -> None:
    """Write it as a PNG, whole or not at all. Raises OSError."""
    partial = path.with_name(f"{path.name}.partial")
    image.save(partial, "PNG", optimize=True)
    partial.replace(path)


def colour(number: int) -> Colour:
    """The colour of a cluster: dark enough to be seen on paper."""
    lightness = (0.45, 0.55, 0.38)[number // 8 % 3]
    red, green, blue = colorsys.hls_to_rgb(number * _TURN % 1, lightness, 0.62)
    return round(red * 255), round(green * 255), round(blue * 255)


def title(cluster: Cluster) -> str:
    """What a cluster is called: by its name, else its first labels, else its number."""
    return cluster.name or ", ".join(cluster.labels[:2]) or str(cluster.number + 1)


def _label(
    pixels: ImageDraw.ImageDraw,
    one: Cluster,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    side: int,
    taken: list[tuple[float, float, float, float]],
) -> None:
    """Write a label in the middle of its cluster, unless another stands there."""
    centre = (_pixel(one.x, side), _pixel(one.y, side))
    left, top, right, bottom = pixels.textbbox(centre, title(one), font=font, anchor="mm")
    shift = max(0.0, 8 - left) - max(0.0, right - side + 8)
    box = (left + shift, top, right + shift, bottom)
    if any(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3] for t in taken):
        return
    taken.append(box)
    pixels.text(
        (centre[0] + shift, centre[1]),
        title(one),
        _INK,
        font,
        "mm",
        stroke_width=3,
        stroke_fill=_PAPER,
    )


def _pixel(place: int, side: int) -> float:
    return _EDGE + place / SIDE * (side - 2 * _EDGE)
