"""Crawls from the page: a folder is chosen, read while one looks on, stopped, and gone on with."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, quote_from_bytes

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from library import files, images, runs
from library.formats import EXTRAS
from library.models import Failure, display_path
from web import crawl_state, grid, guard, places
from web.crawl_state import CrawlState
from web.grid import Tile
from web.language import gettext
from web.places import Contents, Place, PlaceError
from web.said import said
from web.site import the_site
from web.trail import Walk

blueprint = Blueprint("crawls", __name__)

FRAMES = 60
"""Pictures on a contact sheet: whole rows of 15, 12, 10 or 6."""
_FAILURES = 5
_RUN = "<int(max=9223372036854775807):run_id>"


@dataclass(frozen=True, slots=True)
class Link:
    """A folder that can be walked to."""

    name: str
    url: str
    kind: places.Kind | None = None


@dataclass(frozen=True, slots=True)
class Picker:
    """What a folder is chosen from. `path` is None above all places."""

    path: str | None
    value: str
    """What stands in the field."""
    start: str
    """Where the form goes: with the folder in bytes, which the field may not be able to say."""
    crumbs: tuple[Link, ...]
    links: tuple[Link, ...]
    contents: Contents


@blueprint.get("/folders/choose")
def choose() -> Response | str:
    """The folders of one that was chosen, or the places to begin at."""
    guard.only_from_this_machine()
    allowed = _allowed()
    path = _path_of("at")
    if not path:
        return render_template("choose.html", picker=_picker(None, allowed))
    try:
        return render_template("choose.html", picker=_picker(places.chosen(path, allowed), allowed))
    except PlaceError as error:
        return _refused(error, path)


@blueprint.post("/crawls")
def start() -> Response:
    """Begin to crawl the folder of the field; of the address where the field only shows that."""
    guard.only_from_this_machine()
    typed, at = request.form.get("folder", "").strip(), _path_of("at")
    path = at if typed in ("", display_path(at)) else typed.encode("utf-8", "surrogateescape")
    try:
        folder = places.chosen(path, _allowed())
    except PlaceError as error:
        return _refused(error, path)
    return _show(crawl_state.start(the_site(), [folder]))


@blueprint.post("/crawls/again")
def start_again() -> Response:
    """Look through all folders of the library again."""
    guard.only_from_this_machine()
    roots = files.roots(the_site().database.connection)
    if not roots:
        abort(400, gettext("The library has no folders yet. Choose one first."))
    return _show(crawl_state.start(the_site(), roots))


@blueprint.get(f"/crawls/{_RUN}")
def page(run_id: int) -> Response:
    """How far a crawl is and what it has found, or what it came to; htmx gets that part alone."""
    crawl = crawl_state.find(the_site(), run_id)
    part = "HX-Request" in request.headers
    page = render_template(
        "crawl.html",
        part=part,
        crawl=crawl,
        folders=[display_path(root) for root in crawl.run.roots],
        frames=_frames(crawl),
        failures=_failures(crawl),
        passed_over=_passed_over(crawl),
        newest=runs.newest(the_site().database.connection),
    )
    response = make_response(page)
    if part:  # which is of the page's address, and must not be what "back" brings
        response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post(f"/crawls/{_RUN}/stop")
def stop(run_id: int) -> Response:
    """Have a crawl end with the batch in hand."""
    guard.only_from_this_machine()
    if crawl_state.find(the_site(), run_id).state == "running":
        crawl_state.cancel(the_site(), run_id)
    return _show(run_id)


@blueprint.post(f"/crawls/{_RUN}/go-on")
def go_on(run_id: int) -> Response:
    """Go on with a crawl that was stopped or cut off."""
    guard.only_from_this_machine()
    crawl = crawl_state.find(the_site(), run_id)
    if crawl.state != "stopped":
        return _show(run_id)
    roots = crawl.run.roots or files.roots(the_site().database.connection)
    return _show(crawl_state.start(the_site(), roots))


def invitation() -> str:
    """The page of a library without pictures."""
    picker = _picker(None, _allowed()) if guard.is_from_this_machine() else None
    return render_template("empty.html", picker=picker)


def _allowed() -> tuple[Place, ...]:
    return places.places(the_site().settings, files.roots(the_site().database.connection))


def _path_of(name: str) -> bytes:
    """A path in the address, byte for byte: Flask's own reading loses what is not UTF-8."""
    text = request.query_string.decode("ascii", "surrogateescape")
    values = parse_qs(text, errors="surrogateescape").get(name, [""])
    return values[0].encode("utf-8", "surrogateescape")


def _show(run_id: int) -> Response:
    return redirect(url_for("crawls.page", run_id=run_id), 303)


def _refused(error: PlaceError, path: bytes) -> Response:
    picker = _picker(None, _allowed(), display_path(path))
    response = make_response(render_template("choose.html", picker=picker, problem=str(error)))
    response.status_code = error.status
    return response


def _picker(path: bytes | None, allowed: tuple[Place, ...], value: str = "") -> Picker:
    if path is None:
        links = tuple(Link(_name(p.path), _at(p.path), p.kind) for p in allowed)
        usual = next((p.path for p in allowed if p.kind == "pictures"), b"")
        value = value or display_path(usual)
        return Picker(None, value, url_for("crawls.start"), (), links, Contents())
    contents = places.look(path, allowed)
    return Picker(
        display_path(path),
        display_path(path),
        f"{url_for('crawls.start')}?at={quote_from_bytes(path)}",
        _crumbs(path, allowed),
        tuple(Link(_name(folder), _at(folder)) for folder in contents.folders),
        contents,
    )


def _crumbs(path: bytes, allowed: tuple[Place, ...]) -> tuple[Link, ...]:
    """The folders above, as far as they can be chosen."""
    above: list[Link] = []
    step = places.parent(path, allowed)
    while step is not None:
        above.append(Link(_name(step), _at(step)))
        step = places.parent(step, allowed)
    return tuple(reversed(above))


def _name(path: bytes) -> str:
    return display_path(path.rsplit(b"/", 1)[-1])


def _at(path: bytes) -> str:
    return f"{url_for('crawls.choose')}?at={quote_from_bytes(path)}"


def _frames(crawl: CrawlState) -> list[Tile | None]:
    """The contact sheet: each new picture takes the next frame, and when all are taken the oldest.

    So nothing on the sheet moves while it fills, however fast pictures come.
    """
    if crawl.state == "superseded":
        return []
    site, after = the_site(), crawl.run.after_vector
    found = images.encoded_since(site.database.connection, site.space, after, FRAMES)
    frames: list[Tile | None] = [None] * FRAMES
    for number, picture in found:
        place = (number - after - 1) % FRAMES
        frames[place] = frames[place] or grid.tile(picture, Walk())
    return frames if found or crawl.state == "running" else []


def _passed_over(crawl: CrawlState) -> list[tuple[int, str, str | None]]:
    """How many files of which kind were not read, and the package that they need, if any."""
    packages = {extra.kind: extra.package for extra in EXTRAS}
    counts = (crawl.run.summary or {}).get("passed_over", {})
    return [(count, said(kind), packages.get(kind)) for kind, count in counts.items()]


def _failures(crawl: CrawlState) -> list[Failure]:
    connection = the_site().database.connection
    found: list[Failure] = []
    for root in crawl.run.roots:
        found += files.failures(connection, _FAILURES - len(found), root=root)
    return found
