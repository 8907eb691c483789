"""Refinement: the pictures that a search is drawn towards and away from, as part of its address."""

from __future__ import annotations

from dataclasses import dataclass, replace

from werkzeug.datastructures import MultiDict

_MOST = 50


@dataclass(frozen=True, slots=True)
class Refinement:
    """Ids of pictures, in the order in which they were chosen; none stands on both sides."""

    more: tuple[int, ...] = ()
    less: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.more or self.less)

    def towards(self, image_id: int) -> Refinement:
        """With one more picture to be like."""
        rest = self.without(image_id)
        return replace(rest, more=(*rest.more, image_id)[-_MOST:])

    def away_from(self, image_id: int) -> Refinement:
        """With one more picture to be unlike."""
        rest = self.without(image_id)
        return replace(rest, less=(*rest.less, image_id)[-_MOST:])

    def without(self, image_id: int) -> Refinement:
        """As if this picture had not been chosen."""
        return Refinement(
            tuple(i for i in self.more if i != image_id),
            tuple(i for i in self.less if i != image_id),
        )

    def arguments(self) -> dict[str, str]:
        """What it adds to an address."""
        pairs = {"more": self.more, "less": self.less}
        return {name: ",".join(map(str, ids)) for name, ids in pairs.items() if ids}


def parse_refinement(arguments: MultiDict[str, str]) -> Refinement:
    """The refinement in an address; what is no number in it is left out."""
    more = _ids(arguments.get("more", ""))
    return Refinement(more, tuple(i for i in _ids(arguments.get("less", "")) if i not in more))


def _ids(text: str) -> tuple[int, ...]:
    parts = (part for part in text.split(",") if part.isascii() and part.isdigit())
    return tuple(dict.fromkeys(int(part) for part in parts if len(part) < 19))[:_MOST]
