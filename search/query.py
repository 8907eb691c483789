"""Query: what is looked for, as terms that add up to one vector and filters that narrow it.

Pure: `parser.py` makes one of a text, `to_text` makes the text again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from library.filters import NO_FILTERS, Filters
from search.filter_text import filters_to_text


@dataclass(frozen=True, slots=True)
class Words:
    """Words that a picture should fit. The weight is negative for what it should not fit."""

    text: str
    """As the parser leaves it: words that mean nothing else, one space between them."""
    weight: float = 1.0

    def __str__(self) -> str:
        # 2:35mm would be a word, as 12:30 is.
        space = " " if self.weight not in (1, -1) and self.text[0] in "0123456789" else ""
        return _weight_text(self.weight) + space + self.text


@dataclass(frozen=True, slots=True)
class PictureTerm:
    """A picture of the library, which a picture should be like, or unlike."""

    image_id: int
    weight: float = 1.0

    def __str__(self) -> str:
        return f"{_weight_text(self.weight)}#{self.image_id}"


Term = Words | PictureTerm


@dataclass(frozen=True, slots=True)
class Query:
    """Weighted terms and filters; either may be missing. False when both are."""

    terms: tuple[Term, ...] = ()
    filters: Filters = NO_FILTERS

    def __bool__(self) -> bool:
        return bool(self.terms or self.filters)

    def __str__(self) -> str:
        """The canonical text, which `parse` makes the same query of again."""
        parts = []
        for number, term in enumerate(self.terms):
            sign = "- " if term.weight < 0 else "+ " if number else ""
            parts.append(sign + str(term))
        return " ".join((*parts, *filters_to_text(self.filters)))


def without(query: Query, term: Term) -> Query:
    """The query without a term."""
    return replace(query, terms=tuple(each for each in query.terms if each != term))


def with_term(query: Query, term: Term) -> Query:
    """The query with one more term."""
    return replace(query, terms=(*query.terms, term))


def weighted(query: Query, term: Term, weight: float) -> Query:
    """The query with another weight for one of its terms."""
    changed = replace(term, weight=weight)
    return replace(query, terms=tuple(changed if each == term else each for each in query.terms))


def negated(query: Query, term: Term) -> Query:
    """The query with one of its terms turned around."""
    return weighted(query, term, -term.weight)


def with_filters(query: Query, filters: Filters) -> Query:
    """The query with other filters in place of its own."""
    return replace(query, filters=filters)


def _weight_text(weight: float) -> str:
    return "" if abs(weight) == 1 else f"{abs(weight):g}:"
