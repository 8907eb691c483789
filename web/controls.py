"""Controls: the line of small filters below the search bar, and what a form with them asks for.

The form sends what was typed, what the chips stand for and each control by itself; `sent` puts them
together as the one text of a query, so that a mistake in any of them is found by the same parser.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from library.choices import PLACE_DIGITS, Choices
from library.filters import Filters, Kind, Near, Trait
from search.filter_text import filters_to_text
from web.language import gettext, gettext_noop
from web.units import number, place

_FIELDS = {
    "taken_after": "after",
    "taken_before": "before",
    "camera": "camera",
    "type": "type",
    "size": "size",
    "folder": "folder",
    "near": "near",
    "name": "",
}
"""The form's fields, and the filter of the query that each becomes; a name is only quoted."""

_SIZES = {
    ">2mp": gettext_noop("Over 2 MP"),
    ">8mp": gettext_noop("Over 8 MP"),
    ">20mp": gettext_noop("Over 20 MP"),
    "<0.5mp": gettext_noop("Under 0.5 MP"),
}

_KINDS: tuple[Kind, ...] = ("camera", "type", "folder", "name")
_AROUND = 10  # km: a box of the offered places, and somewhat more


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a menu."""

    value: str
    label: str
    selected: bool


@dataclass(frozen=True, slots=True)
class Controls:
    """What the controls show."""

    after: str
    before: str
    first_year: int | None
    last_year: int | None
    cameras: tuple[Option, ...]
    types: tuple[Option, ...]
    sizes: tuple[Option, ...]
    folder: str
    places: tuple[Option, ...]
    name: str
    active: bool
    """Something is chosen."""


def sent(arguments: Mapping[str, str]) -> str | None:
    """The text that a submitted form stands for; None when there is nothing but the words."""
    if not any(name in arguments for name in ("terms", *_FIELDS)):
        return None
    parts = [arguments.get("q", ""), arguments.get("terms", ""), *_filters(arguments)]
    return " ".join(part for part in parts if part.strip())


def _filters(arguments: Mapping[str, str]) -> Iterator[str]:
    for field, name in _FIELDS.items():
        value = arguments.get(field, "").strip()
        if name == "size":  # may be two bounds
            yield from (f"size:{bound}" for bound in value.split())
        elif value:
            quoted = '"' + value.replace('"', '""') + '"'
            yield f"{name}:{quoted}" if name else quoted


def split(filters: Filters) -> tuple[Filters, Filters]:
    """The filters that the controls show, and the rest, which is left to chips."""
    shown = [_first(filters, kind) for kind in _KINDS]
    traits = tuple(trait for trait in shown if trait)
    others = tuple(trait for trait in filters.traits if trait not in traits)
    return replace(filters, traits=traits), Filters(traits=others)


def controls(filters: Filters, offered: Choices) -> Controls:
    """The controls for filters that they can show, over what the library has."""
    bounds = {"after": "", "before": ""}
    texts = [part.partition(":") for part in filters_to_text(replace(filters, traits=()))]
    bounds |= {name: value for name, _, value in texts if name in bounds}
    size = " ".join(value for name, _, value in texts if name == "size")
    near = "".join(value for name, _, value in texts if name == "near")
    camera, form, folder, name = (_first(filters, kind) for kind in _KINDS)
    return Controls(
        **bounds,
        first_year=offered.first_year,
        last_year=offered.last_year,
        cameras=_menu(camera, dict(_counted(offered.cameras))),
        types=_menu(form, {n: _type_label(text) for n, text in _counted(offered.types)}),
        sizes=_options(size, {value: gettext(label) for value, label in _SIZES.items()}),
        folder=folder.text if folder else "",
        places=_options(near, dict(_places(offered, filters.near))),
        name=name.text if name else "",
        active=bool(filters),
    )


def _first(filters: Filters, kind: Kind) -> Trait | None:
    found = (trait for trait in filters.traits if trait.kind == kind and trait.wanted)
    return next(found, None)


def _menu(chosen: Trait | None, labels: Mapping[str, str]) -> tuple[Option, ...]:
    return _options(chosen.text if chosen else "", labels)


def _options(chosen: str, labels: Mapping[str, str]) -> tuple[Option, ...]:
    """What is chosen has to be there, also when somebody typed what is not offered."""
    every = {**({chosen: chosen} if chosen else {}), **labels}
    return tuple(Option(value, label, value == chosen) for value, label in every.items())


def _places(offered: Choices, chosen: Near | None) -> Iterator[tuple[str, str]]:
    """What is chosen first, since it may be any place."""
    if chosen:
        where = f"{chosen.latitude:g}, {chosen.longitude:g}"
        around = gettext("%(km)s km around %(place)s", km=f"{chosen.km:g}", place=where)
        yield _near_text(chosen), around
    for latitude, longitude, count in offered.places:
        where = place(latitude, longitude, PLACE_DIGITS)
        yield _near_text(Near(latitude, longitude, _AROUND)), f"{where} ({number(count)})"


def _near_text(near: Near) -> str:
    (text,) = filters_to_text(Filters(near=near))
    return text.partition(":")[2]


def _counted(pairs: tuple[tuple[str, int], ...]) -> Iterator[tuple[str, str]]:
    return ((name, f"{name} ({number(count)})") for name, count in pairs)


def _type_label(text: str) -> str:
    return text.replace("video", gettext("Videos")) if text.startswith("video") else text.upper()
