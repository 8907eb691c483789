"""The trail of a walk from picture to similar picture, carried in the URL: `?trail=12,41`."""

from __future__ import annotations

LONGEST = 12
_DIGITS = 18  # what SQLite's 64-bit integers surely hold

Trail = tuple[int, ...]


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
