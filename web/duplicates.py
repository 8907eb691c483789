"""The duplicates in the library: a page of them and a list as CSV. Nothing here deletes."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from sqlite3 import Connection

from flask import Blueprint, Response, abort, make_response, render_template, url_for

from library import images
from library.models import Picture, PictureDetails, PictureFile, display_path
from search.duplicates import Group
from web import grid
from web.language import gettext
from web.paging import page_number
from web.site import the_site
from web.trail import Walk
from web.units import file_size

blueprint = Blueprint("duplicates", __name__)

_GROUPS = 20
_SHOWN = 12  # pictures of a group, and files of a picture
_LOOK_AGAIN = "3"  # seconds

_COLUMNS = (
    "group",
    "keep",
    "path",
    "bytes",
    "width",
    "height",
    "taken",
    "similarity",
    "path_hex",
)


@dataclass(frozen=True, slots=True)
class Member:
    """A picture of a group, as the page shows it."""

    tile: grid.Tile
    keep: bool
    size: str
    places: tuple[str, ...]
    more_places: int


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """A group, as the page shows it."""

    members: tuple[Member, ...]
    pictures: int
    files: int
    to_free: str

    @property
    def more(self) -> int:
        """How many pictures of it are not shown."""
        return self.pictures - len(self.members)


@blueprint.get("/duplicates")
def page() -> Response:
    """The groups of duplicates, those first that take most, a page at a time."""
    known = the_site().duplicates.groups()
    groups, number = known or (), page_number()
    end = number * _GROUPS
    connection = the_site().database.connection
    response = make_response(
        render_template(
            "duplicates.html",
            known=known is not None,
            total=len(groups),
            to_free=file_size(sum(group.bytes_to_free for group in groups)),
            groups=[_shown(connection, group) for group in groups[end - _GROUPS : end]],
            page=number,
            more=url_for(".page", page=number + 1) if end < len(groups) else None,
        )
    )
    if known is None:
        response.headers["Refresh"] = _LOOK_AGAIN
    return response


@blueprint.get("/duplicates.csv")
def table() -> Response:
    """Every file of every group, one a line; "keep" is "yes" in one line of each group.

    A path that is not UTF-8 stands there as it is shown, with its bytes in hexadecimal in the last
    column. No cell begins with what a spreadsheet takes for a formula: paths begin with a slash,
    and everything else is a number, a date or one of our words.
    """
    groups = the_site().duplicates.groups()
    if groups is None:
        abort(503, gettext("Duplicates are still being looked for. Try again in a moment."))
    lines = _lines(the_site().database.connection, groups)
    response = Response(lines, mimetype="text/csv", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="duplicates.csv"'
    return response


def present_files(details: PictureDetails) -> list[PictureFile]:
    """A picture's files that are there, the oldest first: of copies it is the one to keep."""
    files = (file for file in details.files if file.missing_since is None)
    return sorted(files, key=lambda file: (file.mtime_ns, file.id))


def _shown(connection: Connection, group: Group) -> ShownGroup:
    found = (images.get(connection, image_id) for image_id in group.image_ids[:_SHOWN])
    members = tuple(
        _member(details, score, details.id == group.keep)
        for details, score in zip(found, group.similarities, strict=False)
        if details is not None and not details.missing
    )
    to_free = file_size(group.bytes_to_free)
    return ShownGroup(members, len(group.image_ids), group.files, to_free)


def _member(details: PictureDetails, similarity: float, keep: bool) -> Member:
    metadata, files = details.metadata, present_files(details)
    picture = Picture(
        details.id,
        metadata.width,
        metadata.height,
        metadata.colour,
        metadata.format,
        files[0].path,
    )
    places = tuple(display_path(file.path) for file in files)
    return Member(
        tile=grid.tile(picture, Walk(), None if keep else grid.percent(similarity)),
        keep=keep,
        size=f"{metadata.width} × {metadata.height}, {file_size(metadata.byte_size)}",
        places=places[:_SHOWN],
        more_places=len(places[_SHOWN:]),
    )


def _lines(connection: Connection, groups: Iterable[Group]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for number, group in enumerate(groups, start=1):
        for image_id, similarity in zip(group.image_ids, group.similarities, strict=True):
            details = images.get(connection, image_id)
            if details is not None:  # it may have been forgotten meanwhile
                writer.writerows(_rows(number, group, details, similarity))
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _rows(
    number: int, group: Group, details: PictureDetails, similarity: float
) -> Iterator[tuple[object, ...]]:
    metadata = details.metadata
    for place, file in enumerate(present_files(details)):
        shown = display_path(file.path)
        yield (
            number,
            "yes" if place == 0 and details.id == group.keep else "no",
            shown,
            file.size,
            metadata.width,
            metadata.height,
            metadata.taken_at or "",
            similarity,
            "" if os.fsencode(shown) == file.path else file.path.hex(),
        )
