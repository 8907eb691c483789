"""parse: `2:golden retriever + #41 - snow before:2019 "IMG_"` -> Query. Pure.

Words belong together until a ` + `, a ` - ` or a weight begins another term. Pictures (`#41` or
`picture:41`), filters, quoted parts of paths, and a word with a sign directly before it may stand
anywhere. A weight is a number and a colon: `2:dog`, or `2: 35mm` where digits follow, since `12:30`
is a word. Other words with a colon are words, unless they look like the misspelt name of a filter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from library.filters import Filters, Trait
from search.errors import QueryError
from search.filter_text import EXAMPLES, FILTERS, parse_filter
from search.query import PictureTerm, Query, Term, Words

MOST_CHARACTERS = 1_000
MOST_TERMS = 20
MOST_FILTERS = 20
LEAST_WEIGHT, MOST_WEIGHT = 0.01, 100.0

_LARGEST_ID = 2**63 - 1
_ALIKE = 0.75
# What people write who think of other programs.
_MEANT = {"date": "after", "year": "after", "since": "after", "until": "before", "path": "folder"}

# The typographic quotes of phones, and white space that a form may send: a character each.
_PLAIN = str.maketrans("“”„‟\t\n\r", '""""   ')
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<sign>[+-])
    |(?P<weight>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?:(?![0-9]))
    |(?P<picture>(?:\#|picture:)\S*)
    |(?P<quoted>"(?:[^"]|"")*"?)
    |(?P<field>(?:NAMES):)(?:(?P<in_quotes>"(?:[^"]|"")*"?)|(?P<value>\S*))
    |(?P<word>\S+)""".replace("NAMES", "|".join(FILTERS)),
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Sign:
    negative: bool
    attached: bool


_Token = _Sign | float | str | Term | Filters
"""A sign, a weight, a word, a picture, a filter."""
_Placed = tuple[_Token, int, int]


def parse(text: str) -> Query:
    """The query that a text asks for; an empty one for a blank text.

    Raises QueryError, which points at the place, and nothing else.
    """
    try:
        _check(text)
        reader = _Reader()
        for token, start, end in _tokens(text.translate(_PLAIN)):
            reader.take(token, start, end)
        return reader.query()
    except QueryError as error:
        error.text = text
        raise


def _check(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise QueryError(
            f"A search has room for {MOST_CHARACTERS:,} characters; this one has {len(text):,}.",
            MOST_CHARACTERS,
            len(text),
        )
    for place, letter in enumerate(text):
        if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\t\n\r":
            raise QueryError("There is a character here that cannot be read.", place, place + 1)


def _tokens(text: str) -> Iterator[_Placed]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found, "whatever is no space is a word"
        at, kind = found.end(), found.lastgroup
        if kind == "sign":
            attached = at < len(text) and not text[at].isspace()
            yield _Sign(found[0] == "-", attached), found.start(), at
        elif kind != "space":
            yield _token(found), found.start(), at


def _token(found: re.Match[str]) -> _Token:
    start, end = found.span()
    if found["weight"]:
        return _weight(found[0], start, end)
    if found["picture"]:
        return _picture(found[0], start, end)
    if found["quoted"]:
        return Filters(traits=(Trait("name", _unquoted(found[0], start, end)),))
    if found["field"]:
        return _filter(found)
    _check_spelling(found[0], start)
    return found[0]


def _weight(text: str, start: int, end: int) -> float:
    weight = float(text[:-1])
    if not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
        raise QueryError(f"A weight goes from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}.", start, end - 1)
    return round(weight, 2)


def _picture(text: str, start: int, end: int) -> PictureTerm:
    number = text.split(":")[-1].removeprefix("#")
    if not (number.isascii() and number.isdigit()):
        sign = text[: len(text) - len(number)]
        raise QueryError(f"After {sign} comes a picture’s number: {sign}41.", start, end)
    if len(number) > 19 or not 1 <= int(number) <= _LARGEST_ID:
        raise QueryError("There is no picture with this number.", start, end)
    return PictureTerm(int(number))


def _unquoted(text: str, start: int, end: int) -> str:
    inner = text[1:-1]
    # An even number of quotes, or the last one belongs to a pair inside.
    if len(text) < 2 or text.count('"') % 2:
        raise QueryError("A quotation mark is missing at the end.", start, end)
    if not inner.strip():
        raise QueryError("There is nothing between the quotation marks.", start, end)
    return inner.replace('""', '"')


def _filter(found: re.Match[str]) -> Filters:
    name, end = found["field"][:-1].lower(), found.end()
    if found["in_quotes"]:
        value = _unquoted(found["in_quotes"], found.start("in_quotes"), end)
    else:
        value = found["value"]
    if not value:
        raise QueryError(
            f"Write the value directly behind {name}: as in {EXAMPLES[name]}.", found.start(), end
        )
    try:
        return parse_filter(name, value)
    except ValueError as error:
        raise QueryError(str(error), found.end("field"), end) from None


def _check_spelling(word: str, start: int) -> None:
    name, colon, value = word.partition(":")
    if not (colon and value and name.isascii() and name.isalpha()):
        return
    known = (*FILTERS, "picture")
    close = [_MEANT[name.lower()]] if name.lower() in _MEANT else []
    close = close or get_close_matches(name.lower(), known, 1, _ALIKE)
    if close:
        example = EXAMPLES.get(close[0], "picture:41")
        raise QueryError(
            f"There is no filter {name}: here. Did you mean {close[0]}:, as in {example}?",
            start,
            start + len(name) + 1,
        )


class _Reader:
    """Puts tokens together: a sign and a weight wait for what they belong to."""

    def __init__(self) -> None:
        self._terms: list[Term] = []
        self._filters = Filters()
        self._count = 0
        self._sign: _Sign | None = None
        self._weight: float | None = None
        self._waiting = (0, 0)
        self._phrase: int | None = None

    def take(self, token: _Token, start: int, end: int) -> None:
        if isinstance(token, _Sign):
            self._take_sign(token, start, end)
        elif isinstance(token, float):
            self._take_weight(token, start, end)
        elif isinstance(token, Filters):
            self._take_filters(token, start, end)
        elif isinstance(token, str):
            self._take_word(token, start, end)
        else:
            self._add(replace(token, weight=self._signed_weight()), start, end)

    def query(self) -> Query:
        if self._sign or self._weight is not None:
            raise QueryError("Something to look for is missing behind this.", *self._waiting)
        return Query(tuple(self._terms), self._filters)

    def _take_sign(self, sign: _Sign, start: int, end: int) -> None:
        if self._sign:
            raise QueryError("Two signs in a row.", self._waiting[0], end)
        if self._weight is not None:
            raise QueryError("Write the sign before the weight: -2:snow.", self._waiting[0], end)
        self._sign, self._waiting = sign, (start, end)
        if not sign.attached:
            self._phrase = None

    def _take_weight(self, weight: float, start: int, end: int) -> None:
        if self._weight is not None:
            raise QueryError("Two weights in a row.", self._waiting[0], end)
        self._weight = weight
        self._waiting = (self._waiting[0] if self._sign else start, end)
        if not (self._sign and self._sign.attached):
            self._phrase = None

    def _take_word(self, word: str, start: int, end: int) -> None:
        alone = self._sign is not None and self._sign.attached
        if self._phrase is None or alone:
            number = len(self._terms)
            self._add(Words(word, self._signed_weight()), start, end)
            self._phrase = self._phrase if alone else number
        else:
            begun = self._terms[self._phrase]
            assert isinstance(begun, Words)
            self._terms[self._phrase] = replace(begun, text=f"{begun.text} {word}")

    def _take_filters(self, filters: Filters, start: int, end: int) -> None:
        if self._weight is not None:
            raise QueryError("A filter has no weight.", self._waiting[0], end)
        if self._sign and self._sign.negative:
            if not filters.traits:
                raise QueryError(
                    "This filter cannot be turned around: write the other bound.", start, end
                )
            filters = Filters(traits=tuple(replace(t, wanted=False) for t in filters.traits))
        if filters.near and self._filters.near:
            raise QueryError("There is a place already: only one can be near.", start, end)
        self._count += 1
        if self._count > MOST_FILTERS:
            raise QueryError(f"A search has room for {MOST_FILTERS} filters.", start, end)
        self._filters = self._filters.narrowed(filters)
        self._sign = None

    def _add(self, term: Term, start: int, end: int) -> None:
        if len(self._terms) == MOST_TERMS:
            raise QueryError(f"A search has room for {MOST_TERMS} terms.", start, end)
        self._terms.append(term)

    def _signed_weight(self) -> float:
        """The weight that waited, for one term."""
        weight = 1.0 if self._weight is None else self._weight
        negative = self._sign is not None and self._sign.negative
        self._sign = self._weight = None
        return -weight if negative else weight
