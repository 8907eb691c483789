"""Chips: the parts of a query as the search bar shows them, each with the ways to change it."""

from __future__ import annotations

from collections.abc import Mapping
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
from web.address import Address
from web.grid import thumb_url
from web.language import gettext, gettext_noop
from web.refinement import Refinement
from web.site import the_site

_KINDS = {
    "folder": gettext_noop("folder"),
    "camera": gettext_noop("camera"),
    "type": gettext_noop("type"),
}
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


def chips(
    query: Query, refinement: Refinement, terms: tuple[Term, ...], filters: Filters
) -> tuple[Chip, ...]:
    """Chips for some of a query's terms and filters, in a search that may be refined."""
    ids = [term.image_id for term in terms if isinstance(term, PictureTerm)]
    pictures = images.present(the_site().database.connection, ids) if ids else {}
    changes = _Changes(query, refinement)
    return (
        *(_term(changes, term, pictures) for term in terms),
        *(_trait(changes, trait) for trait in filters.traits),
    )


@dataclass(frozen=True, slots=True)
class _Changes:
    """The addresses of a search with one thing changed."""

    query: Query
    refinement: Refinement

    def url(self, query: Query) -> str:
        if not query and not self.refinement:
            return url_for("pages.home")
        return Address(str(query), self.refinement).url()

    def traits(self, old: Trait, *new: Trait) -> str:
        """With other traits in place of one."""
        filters = self.query.filters
        traits = tuple(t for each in filters.traits for t in (new if each == old else (each,)))
        return self.url(with_filters(self.query, replace(filters, traits=traits)))


def _term(changes: _Changes, term: Term, pictures: Mapping[int, Picture]) -> Chip:
    other = _NEXT_WEIGHT.get(abs(term.weight), 1.0)
    signed = other if term.weight > 0 else -other
    text, thumb = (term.text, None) if isinstance(term, Words) else _picture(term, pictures)
    return Chip(
        text,
        term.weight < 0,
        changes.url(without(changes.query, term)),
        changes.url(negated(changes.query, term)),
        f"{abs(term.weight):g}",
        f"{other:g}",
        changes.url(weighted(changes.query, term, signed)),
        thumb,
    )


def _picture(term: PictureTerm, pictures: Mapping[int, Picture]) -> tuple[str, str | None]:
    picture = pictures.get(term.image_id)
    return (picture.name, thumb_url(picture.id)) if picture else (f"#{term.image_id}", None)


def _trait(changes: _Changes, trait: Trait) -> Chip:
    text = trait.text if trait.kind == "name" else f"{gettext(_KINDS[trait.kind])} {trait.text}"
    flipped = changes.traits(trait, replace(trait, wanted=not trait.wanted))
    return Chip(text, not trait.wanted, changes.traits(trait), flipped)
