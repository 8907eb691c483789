"""How good a search is: a score between 0 and 1 for each question asked of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

from mlx_clip import Vectors

NEIGHBOURS = 10

Scores = NDArray[np.float64]


def found(
    queries: Sequence[str], texts: Vectors, captions: Sequence[str], pictures: Vectors, first: int
) -> Scores:
    """1 for each query with a picture of that very caption among the `first` best, else 0.

    The mean is the recall, R@first.

    Args:
        queries: The texts searched for, each once.
        texts: Their vectors, one a row.
        captions: What each picture is called; several may be called the same.
        pictures: Their vectors, one a row.
        first: How many results are looked at.
    """
    best = np.argsort(-(texts @ pictures.T), axis=1, kind="stable")[:, :first]
    return np.array(
        [
            query in {captions[row] for row in rows}
            for query, rows in zip(queries, best, strict=True)
        ],
        np.float64,
    )


def chance(queries: Sequence[str], captions: Sequence[str], first: int) -> float:
    """The recall to be expected of a search that draws by lot."""
    count, drawn = Counter(captions), min(first, len(captions))
    ways = comb(len(captions), drawn)
    missed = [comb(len(captions) - count[query], drawn) / ways for query in queries]
    return 1 - sum(missed) / len(missed)


def same_folder(folders: Sequence[str], pictures: Vectors) -> Scores:
    """For each picture the share, among its ten nearest, of those in its own folder.

    Only pictures with ten others in their folder are asked about; all may be found. The mean is
    the precision, P@10.
    """
    scores = pictures @ pictures.T
    np.fill_diagonal(scores, -np.inf)
    nearest = np.argsort(-scores, axis=1, kind="stable")[:, :NEIGHBOURS]
    size = Counter(folders)
    return np.array(
        [
            np.mean([folders[row] == folder for row in rows])
            for folder, rows in zip(folders, nearest, strict=True)
            if size[folder] > NEIGHBOURS
        ]
    )


def probability_of_fewer(worse: int, better: int) -> float:
    """The sign test: how likely, if neither model is better, are so many questions worse or more?

    Of the questions whose score changed, each is as likely to have become worse as better.
    """
    changed = worse + better
    return float(sum(comb(changed, count) for count in range(worse, changed + 1)) / 2**changed)
