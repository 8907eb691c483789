"""Completion: what is being typed at a place in a query's text, and the text with it completed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from library.filters import Filters, Trait
from search.filter_text import filters_to_text

_PLAIN = str.maketrans("“”„‟", '""""')
_PIECE = re.compile(
    r"""(?P<sign>[+-]?)
    (?:(?P<name>[a-z]+):)?
    (?P<value>"(?:[^"]|"")*"?|\S*)""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Typed:
    """A word or a filter in a text, and how far it has been typed."""

    text: str
    start: int
    end: int
    wanted: bool
    """False behind a minus."""
    name: str | None
    """The filter's, in lower case; None for a word."""
    value: str
    """What stands before the cursor, without quotation marks."""

    def completed(self, trait: Trait) -> tuple[str, int]:
        """The whole text with a filter in this place, and where the cursor goes on."""
        wanted = Trait(trait.kind, trait.text, self.wanted)
        (filled,) = filters_to_text(Filters(traits=(wanted,)))
        before = f"{self.text[: self.start]}{filled} "
        return before + self.text[self.end :].lstrip(), len(before)


def typed_at(text: str, at: int) -> Typed | None:
    """What is being typed where the cursor stands; None between words."""
    for found in _PIECE.finditer(text.translate(_PLAIN)):
        if found.start() < at <= found.end():
            name = found["name"]
            value = found["value"][: max(0, at - found.start("value"))]
            return Typed(
                text,
                *found.span(),
                found["sign"] != "-",
                name.lower() if name else None,
                value.strip('"').replace('""', '"'),
            )
    return None
