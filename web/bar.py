"""Bar: what the search bar shows of a query, or of a text that is none.

Words without a weight stand in the field, where they are edited; every other term is a chip, and so
is each filter that has no control.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from library.filters import Filters
from search.errors import QueryError
from search.filter_text import filters_to_text
from search.query import Query, Term, Words
from web import chips, controls
from web.chips import Chip
from web.controls import Controls
from web.refinement import Refinement
from web.said import said
from web.site import the_site

NOT_REFINED = Refinement()
_AROUND = 40


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a text is no query: the place in it, and what stands before and behind it."""

    message: str
    before: str
    place: str
    behind: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The search bar of one page."""

    words: str = ""
    terms: str = ""
    """What the chips stand for: put behind the words when the form is sent."""
    chips: tuple[Chip, ...] = ()
    controls: Controls | None = None
    mistake: Mistake | None = None


def of(query: Query, refinement: Refinement = NOT_REFINED) -> Bar:
    """The bar of a page that answers a query, or invites to one.

    Its form begins a new search; the chips change this one, with what refines it.
    """
    site = the_site()
    field = next((t for t in query.terms if isinstance(t, Words) and t.weight == 1), None)
    terms = tuple(term for term in query.terms if term is not field)
    shown, rest = controls.split(query.filters)
    return Bar(
        field.text if field else "",
        _behind(terms, rest),
        chips.chips(query, refinement, terms, rest),
        controls.controls(shown, site.choices.get(site.database.connection)),
    )


def misread(error: QueryError) -> Bar:
    """The bar of a page that could not understand a text, which stays in the field."""
    text, start, end = _readable(error.text), error.start, error.end
    before, place, behind = text[:start], text[start:end], text[end:]
    return Bar(
        words=text,
        mistake=Mistake(
            said(error.message),
            before if len(before) <= _AROUND else f"… {before[-_AROUND:]}",
            place if len(place) <= _AROUND else f"{place[:_AROUND]} …",
            behind if len(behind) <= _AROUND else f"{behind[:_AROUND]} …",
        ),
    )


def _behind(terms: tuple[Term, ...], filters: Filters) -> str:
    signed = (f"{'-' if term.weight < 0 else '+'} {term}" for term in terms)
    return " ".join((*signed, *filters_to_text(filters)))


def _readable(text: str) -> str:
    """The same with a mark for each character that no page can hold."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(letter) in ("Cc", "Cs") else letter
        for letter in text
    )
