"""Near duplicates among hits, behind the best of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from library.models import Hit
from search.duplicates import Group


@dataclass(frozen=True, slots=True)
class Folded:
    """A hit, and the hits behind it that are near duplicates of it, in their order."""

    hit: Hit
    others: tuple[Hit, ...] = ()


def fold(hits: Iterable[Hit], group_of: Callable[[int], Group | None]) -> list[Folded]:
    """Of each group the hit that ranks best, in its place, with the group's others behind it.

    `group_of` is what Duplicates has: None for a picture that is in no group, or not known to be.
    """
    together: dict[int, list[Hit]] = {}
    for hit in hits:
        group = group_of(hit.picture.id)
        together.setdefault(group.keep if group else hit.picture.id, []).append(hit)
    return [Folded(first, tuple(others)) for first, *others in together.values()]
