"""Suggestions: what the library has that fits what is being typed into the search bar."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template, request

from library.choices import Choices
from library.filters import Kind, Trait
from search.completion import Typed, typed_at
from search.parser import MOST_CHARACTERS
from web.site import the_site

blueprint = Blueprint("suggest", __name__)

_MOST = 8
_SHORTEST = 2  # letters of a word that is no filter yet
_APART = str.maketrans("-_./", "    ")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A filter, and the search with it."""

    kind: Kind
    name: str
    text: str
    cursor: int


@blueprint.get("/suggest")
def options() -> str:
    """The options of the list below the bar, for its text `q` and the cursor's place `at` in it."""
    text = request.args.get("q", "")[:MOST_CHARACTERS]
    typed = typed_at(text, request.args.get("at", len(text), type=int))
    site = the_site()
    offered = site.choices.get(site.database.connection)
    return render_template("suggestions.html", suggestions=suggestions(typed, offered))


def suggestions(typed: Typed | None, offered: Choices) -> list[Suggestion]:
    """The closest names first: those that begin as typed, then those of which a word does."""
    if typed is None or (typed.name is None and len(typed.value) < _SHORTEST):
        return []
    ranked = sorted(
        (place, order, trait)
        for order, trait in enumerate(_traits(typed.name, offered))
        if (place := _place(trait.text, typed.value)) is not None
    )
    return [
        Suggestion(trait.kind, trait.text, *typed.completed(trait))
        for _, _, trait in ranked[:_MOST]
    ]


def _traits(name: str | None, offered: Choices) -> Iterator[Trait]:
    names: dict[Kind, Sequence[str]] = {
        "folder": offered.folders,
        "camera": [camera for camera, _ in offered.cameras],
        "type": [form for form, _ in offered.types],
    }
    for kind, texts in names.items():
        if name in (None, kind):
            yield from (Trait(kind, text) for text in texts)


def _place(name: str, typed: str) -> int | None:
    """0 when a name begins as typed, 1 when one of its words does, None when none does."""
    folded, beginning = _folded(name), _folded(typed)
    if folded.startswith(beginning):
        return 0
    return 1 if f" {beginning}" in folded.translate(_APART) else None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
