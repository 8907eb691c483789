"""Exact ranking: the cosine similarity of a query with every vector, or with some, in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from library.matrix import Ids, Rows
from library.models import Place
from library.vectors import Vectors

Scores = NDArray[np.float64]

# How far a float32 product may be from the exact one, many times over.
_ERROR = 1e-5
_DECIMALS = 6
# To copy a larger part of the rows takes longer than to multiply them all.
_GATHERED = 1 / 16


@dataclass(frozen=True, slots=True)
class Ranked:
    """Pictures by descending score, those of one score by ascending id."""

    image_ids: Ids
    scores: Scores
    """Cosine similarities, rounded, so that a score is the same in every list."""

    def __len__(self) -> int:
        return len(self.image_ids)


def rank(
    rows: Rows, query: Vectors, limit: int, among: Ids | None = None, after: Place | None = None
) -> Ranked:
    """The `limit` nearest rows to a (dim,) unit vector: of all rows, or of those numbered `among`.

    With `after`, the nearest of those that a list has behind that place.
    """
    scores = _products(rows, query, among)
    if after is not None:
        behind = np.flatnonzero(scores <= after.score + _ERROR)
        scores, among = scores[behind], behind if among is None else among[behind]
        near = np.flatnonzero(scores >= after.score - _ERROR)
        keep = np.ones(len(scores), bool)
        keep[near] = _is_behind(score(rows, query, among[near]), rows.image_ids[among[near]], after)
        scores, among = scores[keep], among[keep]
    if limit < len(scores):
        # All that might be among them, ties included: which of those are, exact scores say.
        nearest = np.flatnonzero(scores >= np.partition(scores, -limit)[-limit] - _ERROR)
        among = nearest if among is None else among[nearest]
    elif among is None:
        among = np.arange(len(scores))
    return best(rows, query, among, limit)


def _products(rows: Rows, query: Vectors, among: Ids | None) -> Vectors:
    """The scores by float32 arithmetic, of all rows or of some."""
    if among is not None and len(among) < len(rows) * _GATHERED:
        scores: Vectors = rows.vectors[among] @ query
        return scores
    scores = rows.vectors @ query
    return scores if among is None else scores[among]


def best(rows: Rows, query: Vectors, among: Ids, limit: int) -> Ranked:
    """The `limit` nearest of the rows numbered `among`."""
    scores, image_ids = score(rows, query, among), rows.image_ids[among]
    order = np.lexsort((image_ids, -scores))[:limit]
    return Ranked(image_ids[order], scores[order])


def score(rows: Rows, query: Vectors, among: Ids) -> Scores:
    """The scores of some rows, as every list has them."""
    exact: Scores = rows.vectors[among].astype(np.float64) @ query.astype(np.float64)
    rounded: Scores = exact.round(_DECIMALS)
    return rounded


def _is_behind(scores: Scores, image_ids: Ids, place: Place) -> NDArray[np.bool_]:
    behind: NDArray[np.bool_] = (scores < place.score) | (
        (scores == place.score) & (image_ids > place.image_id)
    )
    return behind
