"""Which pictures are near duplicates: alike to a perceptual hash and to the model, in groups.

Either alone is not enough: a hash knows nothing of what it sees, and a model takes two drawings of
one thing for alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from library.duplicates import Present
from library.vectors import Vectors
from search.hamming import FARTHEST, Hashes, Positions, distance, near_pairs

Rows = Callable[[Sequence[int]], Vectors]
"""Image ids -> their vectors (n, dim), zeros for a picture without one."""

# The fewer bits two hashes have set and the more of them differ, the closer the vectors must be.
# Measured with `python -m bench duplicates`, as are the lines of duplicates.py.
_FOR_DIFFERING = 0.35
_CERTAIN = 0.99
_CROPPED = 0.15  # what a crop or a caption changes in the logarithm of width over height
# How many pictures of one hash are looked for among other hashes.
_OF_ONE_HASH = 8
_VECTORS = 32_768  # held in memory at a time
_PAIRS = 16_384
_LEADERS = 64  # compared with all others at a time
# Dot products spent on a set of pictures of which hardly two are alike, before it is given up.
_MOST_PRODUCTS = 20_000_000


@dataclass(frozen=True, slots=True)
class Near:
    """Places of near duplicates in Present, the one most worth keeping first.

    `similarities` are their cosine similarities to it.
    """

    places: tuple[int, ...]
    similarities: tuple[float, ...]


class NearDuplicates:
    """Groups the near duplicates of some pictures.

    Every picture of a group is like the group's best one, so that no chain of small differences
    joins pictures that differ. Of more than _VECTORS pictures that are all alike there are several
    groups.
    """

    def __init__(self, pictures: Present, rows: Rows, line: float) -> None:
        self._pictures = pictures
        self._rows = rows
        self._line = line

    def groups(self) -> Iterator[Near]:
        """The groups, each of two pictures or more."""
        known = np.flatnonzero(self._pictures.known)
        pairs: list[tuple[int, int]] = []
        seldom = self._thinned(known, pairs)
        for one, other in near_pairs(self._pictures.hashes[seldom]):
            pairs.extend(self._confirmed(seldom[one], seldom[other]))
        for sets in _batches(_connected(pairs)):
            yield from (group for group in self._split_all(sets) if len(group.places) > 1)

    def _thinned(self, known: Positions, pairs: list[tuple[int, int]]) -> Positions:
        """The places to look for pairs among: all but those that share a hash with very many.

        Those are compared with each other here, 20,000 white pages with the first of them; `pairs`
        takes what is alike.
        """
        hashes = self._pictures.hashes[known]
        order = np.argsort(hashes, kind="stable")
        changes = np.flatnonzero(np.diff(hashes[order])) + 1
        bounds = np.concatenate(([0], changes, [len(order)]))
        crowded = np.flatnonzero(np.diff(bounds) > _OF_ONE_HASH)
        keep = np.ones(len(known), np.bool_)
        for run in crowded:
            places = order[bounds[run] : bounds[run + 1]]
            keep[places] = False
            leaders = []
            for group in self._split(known[places]):
                leaders.append(group.places[0])
                pairs.extend((group.places[0], place) for place in group.places[1:])
            keep[np.searchsorted(known, leaders[:_OF_ONE_HASH])] = True
        return known[keep]

    def _confirmed(self, one: Positions, other: Positions) -> Iterator[tuple[int, int]]:
        """Of pairs with near hashes the ones that are alike."""
        same_shape = self._same_shape(one, other)
        one, other = one[same_shape], other[same_shape]
        for start in range(0, len(one), _PAIRS):
            a, b = one[start : start + _PAIRS], other[start : start + _PAIRS]
            places, index = np.unique(np.concatenate((a, b)), return_inverse=True)
            vectors = self._vectors(places)
            scores = np.einsum("ij,ij->i", vectors[index[: len(a)]], vectors[index[len(a) :]])
            alike = scores >= self._needed(a, b)
            yield from zip(a[alike].tolist(), b[alike].tolist(), strict=True)

    def _split(self, places: Positions) -> Iterator[Near]:
        """Some places as groups, of one picture too: the best with all like it, and so on."""
        for start in range(0, len(places), _VECTORS):
            some = places[start : start + _VECTORS]
            yield from self._led(some, self._vectors(some))

    def _split_all(self, sets: Sequence[Positions]) -> Iterator[Near]:
        """The same for several sets of places, whose vectors are asked for all at once."""
        if len(sets) == 1:
            yield from self._split(sets[0])
            return
        vectors = self._vectors(np.concatenate(sets))
        ends = np.cumsum([len(places) for places in sets])
        for places, end in zip(sets, ends, strict=True):
            yield from self._led(places, vectors[end - len(places) : end])

    def _led(self, places: Positions, vectors: Vectors) -> Iterator[Near]:
        rest = np.arange(len(places))
        products = 0
        while len(rest) and products < _MOST_PRODUCTS:
            some = places[rest]
            scores = vectors[rest] @ vectors[rest[:_LEADERS]].T
            products += scores.size
            free = np.ones(len(rest), np.bool_)
            for leader in range(scores.shape[1]):
                if free[leader]:
                    free[leader] = False
                    group = self._like(some, leader, scores[:, leader], free)
                    free[group] = False
                    yield Near(
                        (int(some[leader]), *some[group].tolist()),
                        (1.0, *scores[group, leader].tolist()),
                    )
            rest = rest[free]

    def _like(
        self, places: Positions, leader: int, scores: Vectors, free: NDArray[np.bool_]
    ) -> Positions:
        """The numbers of those among `places` that are free and like the leader."""
        maybe = np.flatnonzero(free & (scores >= self._line))
        one, others = places[leader : leader + 1], places[maybe]
        alike = scores[maybe] >= self._needed(one, others)
        alike &= self._same_shape(one, others)
        alike &= distance(self._hash(one), self._hash(others)) <= FARTHEST
        return maybe[alike]

    def _needed(self, one: Positions, other: Positions) -> NDArray[np.float64]:
        """The cosine similarity from which on pictures are duplicates, by their hashes."""
        a, b = self._hash(one), self._hash(other)
        share = (distance(a, b) + 1.0) / (np.bitwise_count(a | b) + 1.0)
        needed: NDArray[np.float64] = np.minimum(_CERTAIN, self._line + _FOR_DIFFERING * share)
        return needed

    def _same_shape(self, one: Positions, other: Positions) -> NDArray[np.bool_]:
        shapes = self._pictures.shapes
        same: NDArray[np.bool_] = np.abs(shapes[one] - shapes[other]) <= _CROPPED
        return same

    def _hash(self, places: Positions) -> Hashes:
        return self._pictures.hashes[places]

    def _vectors(self, places: Positions) -> Vectors:
        return self._rows(self._pictures.ids[places].tolist())


def _connected(pairs: Iterable[tuple[int, int]]) -> Iterator[Positions]:
    """The connected components of a graph, by union-find: the places of each, best first."""
    parents: dict[int, int] = {}

    def root(place: int) -> int:
        while parents.setdefault(place, place) != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    for one, other in pairs:
        first, second = sorted((root(one), root(other)))
        parents[second] = first
    members: dict[int, list[int]] = {}
    for place in sorted(parents):
        members.setdefault(root(place), []).append(place)
    return (np.array(places) for places in members.values())


def _batches(sets: Iterable[Positions]) -> Iterator[list[Positions]]:
    """Sets of places, as many at a time as their vectors are held in memory."""
    batch: list[Positions] = []
    held = 0
    for places in sets:
        if batch and held + len(places) > _VECTORS:
            yield batch
            batch, held = [], 0
        batch.append(places)
        held += len(places)
    if batch:
        yield batch
