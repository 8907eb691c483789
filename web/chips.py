"""Chips: the parts of a query as the search bar shows them, each with the ways to change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from flask import url_for

from library import images
from library.filters import Filters, Trait
from library.models import Picture
from search.query import (
    PictureTerm,
    Query,
    Term,
    Words,
    negated,
    weighted,
    with_filters,
    without,
)
from web.grid import thumb_url
from web.site import the_site

_NEXT_WEIGHT = {1.0: 2.0, 2.0: 3.0, 3.0: 0.5}


@dataclass(frozen=True, slots=True)
class Chip:
    """A term or a filter. The URLs lead to the same search with this one changed."""

    text: str
    negative: bool
    without_url: str
    flipped_url: str | None = None
    weight: str = "1"
    other_weight: str | None = None
    """What it weighs behind `reweighted_url`."""
    reweighted_url: str | None = None
    thumb: str | None = None


def chips(query: Query, terms: tuple[Term, ...], filters: Filters) -> tuple[Chip, ...]:
    """Chips for some of a query's terms and filters."""
    ids = [term.image_id for term in terms if isinstance(term, PictureTerm)]
    pictures = images.present(the_site().database.connection, ids) if ids else {}
    return (*(_term(query, term, pictures) for term in terms), *_filters(query, filters))


def _term(query: Query, term: Term, pictures: Mapping[int, Picture]) -> Chip:
    other = _NEXT_WEIGHT.get(abs(term.weight), 1.0)
    signed = other if term.weight > 0 else -other
    text, thumb = (term.text, None) if isinstance(term, Words) else _picture(term, pictures)
    return Chip(
        text,
        term.weight < 0,
        _url(without(query, term)),
        _url(negated(query, term)),
        f"{abs(term.weight):g}",
        f"{other:g}",
        _url(weighted(query, term, signed)),
        thumb,
    )


def _picture(term: PictureTerm, pictures: Mapping[int, Picture]) -> tuple[str, str | None]:
    picture = pictures.get(term.image_id)
    return (picture.name, thumb_url(picture.id)) if picture else (f"#{term.image_id}", None)


def _filters(query: Query, filters: Filters) -> Iterator[Chip]:
    near = filters.near
    if near:
        text = f"{near.km:g} km around {near.latitude:g}, {near.longitude:g}"
        yield Chip(text, False, _url(with_filters(query, replace(query.filters, near=None))))
    for trait in filters.traits:
        text = trait.text if trait.kind == "name" else f"{trait.kind} {trait.text}"
        flipped = replace(trait, wanted=not trait.wanted)
        yield Chip(
            text,
            not trait.wanted,
            _url(_with_trait(query, trait, ())),
            _url(_with_trait(query, trait, (flipped,))),
        )


def _with_trait(query: Query, old: Trait, new: tuple[Trait, ...]) -> Query:
    traits = tuple(t for each in query.filters.traits for t in (new if each == old else (each,)))
    return with_filters(query, replace(query.filters, traits=traits))


def _url(query: Query) -> str:
    return url_for("pages.search", q=str(query)) if query else url_for("pages.home")
