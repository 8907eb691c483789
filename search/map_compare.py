"""Two maps beside each other: how much they agree on the pictures that both have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from library.map_points import NOISE, Points
from search.errors import MapError
from search.projection import check_installed


@dataclass(frozen=True, slots=True)
class Comparison:
    """The agreement of two maps: 1 where all clusters are the same, about 0 by chance."""

    pictures: int
    """On both, and in a cluster of both."""
    mutual_information: float
    """Adjusted (Vinh et al. 2010)."""
    rand_index: float
    """Adjusted (Hubert and Arabie 1985)."""
    matches: tuple[tuple[int, int, float], ...]
    """For each cluster of the first the one of the second that is most like it, and their Jaccard
    index."""


def compare(first: Points, second: Points) -> Comparison:
    """Compare the clusters of two maps. Raises MapError when they share no pictures."""
    check_installed()
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    _, left, right = np.intersect1d(
        first.image_ids, second.image_ids, assume_unique=True, return_indices=True
    )
    ours, theirs = first.clusters[left], second.clusters[right]
    both = (ours != NOISE) & (theirs != NOISE)
    ours, theirs = ours[both], theirs[both]
    if not len(ours):
        raise MapError("These maps have no pictures in common.")
    matches = []
    for number in np.unique(ours).tolist():
        inside = ours == number
        numbers, counts = np.unique(theirs[inside], return_counts=True)
        overlaps = [
            int(count) / int((inside | (theirs == other)).sum())
            for other, count in zip(numbers, counts, strict=True)
        ]
        best = int(np.argmax(overlaps))
        matches.append((number, int(numbers[best]), round(overlaps[best], 3)))
    return Comparison(
        len(ours),
        round(float(adjusted_mutual_info_score(ours, theirs)), 4),
        round(float(adjusted_rand_score(ours, theirs)), 4),
        tuple(matches),
    )
