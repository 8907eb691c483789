"""A picture's metadata, in the words and units that its page shows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import url_for

from library.filters import Filters, Near, Trait
from library.models import Metadata, PictureDetails, PictureFile, display_path
from search.query import Query
from web import originals
from web.address import Address
from web.grid import thumb_url
from web.language import gettext
from web.originals import Original
from web.pictures import PREVIEW_SIZE
from web.site import the_site
from web.units import date, file_size, place

# A picture fills the room there is, but is not drawn larger than it bears.
_ENLARGED = 3.0
_LARGE = 4096
# How much larger than a preview a picture has to be for one to be worth its decoding.
_WORTH_IT = 1.25
_NEARBY = 5.0  # km
# What thumbnails and the model see behind transparent parts, too.
_WHITE = "#ffffff"


@dataclass(frozen=True, slots=True)
class Path:
    """One of a picture's files, as the page lists it."""

    name: str
    folder: str
    folder_url: str
    missing_since: str | None
    whole: str | None
    """The path to be copied; None where it is no text, so that no copy of it would be one."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of what is known of a picture; `url` finds others that have it in common."""

    term: str
    value: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What a picture's page shows. `width` and `height` give the shape to draw it in."""

    id: int
    name: str
    width: int
    height: int
    colour: str
    """What is seen until the picture is there, and afterwards through its transparent parts."""
    source: str
    preview: str | None
    """The picture at PREVIEW_SIZE pixels, where it has many more: enough for most windows."""
    full_width: int
    preview_width: int
    thumb: str
    overlaid: bool
    """The large picture hides its thumbnail wholly, so that one can stand in for the other."""
    file_url: str | None
    download_url: str | None
    video: bool
    """What `file_url` leads to can be played, and `source` is a frame of it."""
    folder_url: str
    folder: str
    missing: str | None
    line: tuple[str, ...]
    facts: tuple[Fact, ...]
    paths: tuple[Path, ...]


def describe(details: PictureDetails, original: Original | None) -> Description:
    """Everything that a picture's page says; `original` is the file that can be served, if any."""
    metadata = details.metadata
    file = original.file if original else details.files[0]
    scale = min(_ENLARGED, _LARGE / max(metadata.width, metadata.height))
    see_through = originals.may_be_see_through(metadata.format)
    thumb = thumb_url(details.id)
    return Description(
        id=details.id,
        name=file.name,
        width=max(1, round(metadata.width * scale)),
        height=max(1, round(metadata.height * scale)),
        colour=_WHITE if see_through else metadata.colour,
        source=_source(details, original) or thumb,
        preview=_preview(details, original),
        full_width=metadata.width,
        preview_width=_preview_width(metadata),
        thumb=thumb,
        overlaid=original is not None and not see_through,
        file_url=url_for("media.file", image_id=details.id) if original else None,
        download_url=(url_for("media.file", image_id=details.id, download=1) if original else None),
        video=original is not None and originals.is_video(metadata.format),
        folder_url=url_for("pages.folder", folder_id=file.folder_id),
        folder=display_path(file.path.rsplit(b"/", 2)[-2]) or "/",
        missing=None if original else _missing(details),
        line=_line(metadata),
        facts=tuple(_facts(metadata)),
        paths=tuple(map(_path, details.files)),
    )


def _source(details: PictureDetails, original: Original | None) -> str | None:
    if original is None:
        return None
    shown = originals.browsers_show(details.metadata.format)
    return url_for("media.file" if shown else "media.preview", image_id=details.id)


def _preview(details: PictureDetails, original: Original | None) -> str | None:
    """Of JPEGs only: others may move or be seen through, which a preview cannot."""
    metadata = details.metadata
    large = max(metadata.width, metadata.height) > _WORTH_IT * PREVIEW_SIZE
    if original is None or metadata.format != "JPEG" or not large:
        return None
    return url_for("media.preview", image_id=details.id, v=the_site().library_id)


def _preview_width(metadata: Metadata) -> int:
    return round(metadata.width * PREVIEW_SIZE / max(metadata.width, metadata.height))


def _line(metadata: Metadata) -> tuple[str, ...]:
    taken = date(metadata.taken_at) if metadata.taken_at else None
    size = f"{metadata.width} × {metadata.height}"
    return tuple(part for part in (taken, metadata.camera, size) if part)


def _facts(metadata: Metadata) -> list[Fact]:
    facts = [Fact(gettext("Size"), _size(metadata)), Fact(gettext("Format"), _format(metadata))]
    if metadata.taken_at:
        facts.append(Fact(gettext("Taken"), date(metadata.taken_at), _day(metadata.taken_at)))
    if metadata.camera:
        facts.append(Fact(gettext("Camera"), metadata.camera, _camera(metadata.camera)))
    if metadata.latitude is not None and metadata.longitude is not None:
        facts.append(_place(metadata.latitude, metadata.longitude))
    return facts


def _size(metadata: Metadata) -> str:
    shape = gettext("%(shape)s pixels", shape=f"{metadata.width} × {metadata.height}")
    return f"{shape}, {file_size(metadata.byte_size)}"


def _format(metadata: Metadata) -> str:
    if metadata.frames <= 1:
        return metadata.format
    frames = gettext("%(number)s frames", number=metadata.frames)
    return f"{metadata.format}, {frames}"


def _day(taken_at: str) -> str | None:
    try:
        day = datetime.fromisoformat(taken_at).date()
        return _search(Filters(after=day, before=day + timedelta(days=1)))
    except (ValueError, OverflowError):
        return None


def _camera(camera: str) -> str:
    return _search(Filters(traits=(Trait("camera", camera),)))


def _place(latitude: float, longitude: float) -> Fact:
    near = Near(round(latitude, 5), round(longitude, 5), _NEARBY)
    return Fact(gettext("Place"), place(latitude, longitude, 5), _search(Filters(near=near)))


def _search(filters: Filters) -> str:
    return Address(str(Query(filters=filters))).url()


def _path(file: PictureFile) -> Path:
    folder_url = url_for("pages.folder", folder_id=file.folder_id)
    shown = display_path(file.path)
    whole = shown if os.fsencode(shown) == file.path else None
    return Path(file.name, file.folder, folder_url, _since(file.missing_since), whole)


def _missing(details: PictureDetails) -> str:
    since = (
        _since(min(file.missing_since or 0 for file in details.files)) if details.missing else None
    )
    what = (
        gettext("The original is missing since %(date)s.", date=since)
        if since
        else gettext("The original has gone or changed since the last crawl.")
    )
    again = gettext(
        "Put it back, or connect its disk, and crawl again: python -m crawler %(folder)s",
        folder=details.files[0].folder,
    )
    return f"{what} {again}"


def _since(moment: float | None) -> str | None:
    return None if moment is None else date(datetime.fromtimestamp(moment).isoformat())
