"""The trail of a walk from picture to similar picture, carried in the URL: `?trail=12,41`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from flask import url_for

from web.address import Address

LONGEST = 12
_DIGITS = 18  # what SQLite's 64-bit integers surely hold
# Each picture of a page carries the search in its address: a longer one is not carried.
_LONGEST_SEARCH = 200

Trail = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """How a picture was come to: the search that it began with, and the pictures since."""

    trail: Trail = ()
    search: Address = field(default_factory=lambda: Address(""))

    def to(self, image_id: int) -> Walk:
        """The walk when it has gone on from this picture."""
        return replace(self, trail=extend(self.trail, image_id))

    def before(self, image_id: int) -> Walk:
        """The walk as it was when it came to this picture."""
        return replace(self, trail=before(self.trail, image_id))

    def url(self, image_id: int) -> str:
        """The address of a picture that this walk has come to."""
        carried = self.search.arguments()
        if sum(map(len, carried.values())) > _LONGEST_SEARCH:
            carried = {}
        values: dict[str, Any] = {"trail": to_text(self.trail), **carried}
        return url_for("pages.picture", image_id=image_id, **values)


def parse(text: str) -> Trail:
    """The ids in a `trail` parameter, oldest first; whatever is no id is ignored."""
    parts = [part.strip() for part in text.split(",")]
    ids = [int(p) for p in parts if p.isascii() and p.isdigit() and len(p) <= _DIGITS]
    trail: Trail = ()
    for image_id in ids:
        trail = extend(trail, image_id)
    return trail


def extend(trail: Trail, image_id: int) -> Trail:
    """The trail after visiting a picture: once each, the latest visit counts, LONGEST at most."""
    rest = tuple(visited for visited in trail if visited != image_id)
    return (*rest, image_id)[-LONGEST:]


def before(trail: Trail, image_id: int) -> Trail:
    """The part of a trail that led to one of its pictures."""
    return trail[: trail.index(image_id)] if image_id in trail else trail


def to_text(trail: Trail) -> str | None:
    """As a URL parameter, or None (no parameter at all) when nothing was visited."""
    return ",".join(map(str, trail)) or None
