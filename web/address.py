"""Address: where a search is found again, with everything that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from flask import url_for

from web.cursors import START, Cursor
from web.refinement import Refinement


@dataclass(frozen=True, slots=True)
class Address:
    """A search: its query as text, and what refines it."""

    text: str
    refinement: Refinement = field(default_factory=Refinement)

    def towards(self, image_id: int) -> Address:
        """With one more picture to be like."""
        return replace(self, refinement=self.refinement.towards(image_id))

    def away_from(self, image_id: int) -> Address:
        """With one more picture to be unlike."""
        return replace(self, refinement=self.refinement.away_from(image_id))

    def without(self, image_id: int) -> Address:
        """As if this picture had not been chosen."""
        return replace(self, refinement=self.refinement.without(image_id))

    def __bool__(self) -> bool:
        return bool(self.text or self.refinement)

    def arguments(self) -> dict[str, str]:
        """What it is in an address; empty where nothing is looked for."""
        return {**({"q": self.text} if self.text else {}), **self.refinement.arguments()}

    def url(self, cursor: Cursor = START) -> str:
        """The address, from the list's beginning or from further on."""
        values: dict[str, Any] = {"q": self.text, **self.refinement.arguments()}
        if cursor.place:
            values["from"] = str(cursor)
        return url_for("pages.search", **values)
