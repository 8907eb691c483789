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
    group: int | None = None
    """The picture to keep of its group, which names the group; None where it is in none."""


def fold(hits: Iterable[Hit], group_of: Callable[[int], Group | None]) -> list[Folded]:
    """Of each group the hit that ranks best, in its place, with the group's others behind it.

    `group_of` is what Duplicates has: None for a picture that is in no group, or not known to be.
    """
    together: dict[int, list[Hit]] = {}
    groups: set[int] = set()
    for hit in hits:
        group = group_of(hit.picture.id)
        together.setdefault(group.keep if group else hit.picture.id, []).append(hit)
        if group:
            groups.add(group.keep)
    return [
        Folded(first, tuple(others), name if name in groups else None)
        for name, (first, *others) in together.items()
    ]
