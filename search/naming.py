"""What clusters are called: words of two vocabularies, and names that somebody gave them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from library.map_points import Ids, Numbers
from library.vectors import Vectors
from mlx_clip import Encoder

VOCABULARY = Path(__file__).parent / "vocabulary"
"""Text files to edit: a word or phrase a line, # begins a remark."""

# How many labels come of which file.
_LABELS = (("styles.txt", 3), ("general.txt", 3))
_BATCH = 64
# Of all pictures of two clusters, so many must be in both for them to be the same one.
_SAME = 1 / 3


@dataclass(frozen=True, slots=True)
class Words:
    """A vocabulary and its vectors (m, dim)."""

    words: tuple[str, ...]
    vectors: Vectors
    labels: int
    """How many of them a cluster gets."""


def vocabularies(encoder: Encoder, folder: Path = VOCABULARY) -> list[Words]:
    """Both vocabularies as a model understands them."""
    found = []
    for name, labels in _LABELS:
        words = read_words(folder / name)
        batches = [
            encoder.encode_texts(words[first : first + _BATCH])
            for first in range(0, len(words), _BATCH)
        ]
        if batches:
            found.append(Words(tuple(words), np.concatenate(batches), labels))
    return found


def read_words(path: Path) -> list[str]:
    """The lines of a vocabulary, each once."""
    lines = path.read_text(encoding="utf-8").splitlines()
    words = (line.partition("#")[0].strip() for line in lines)
    return list(dict.fromkeys(word for word in words if word))


def labels(
    vectors: Vectors, clusters: Numbers, vocabularies: Sequence[Words]
) -> list[tuple[str, ...]]:
    """For each cluster of vectors (n, dim) the words that fit it better than they fit the rest.

    By the mean cosine to its members less that to all others: by the mean alone every cluster
    would be called what all of the library is.
    """
    number = int(clusters.max()) + 1
    counts = np.bincount(clusters[clusters >= 0], minlength=number)
    total = vectors.sum(axis=0, dtype=np.float64)
    found: list[tuple[str, ...]] = []
    for one in range(number):
        inside = vectors[clusters == one].sum(axis=0, dtype=np.float64)
        rest = max(1, len(vectors) - int(counts[one]))
        difference = inside / counts[one] - (total - inside) / rest
        found.append(_best(difference.astype(np.float32), vocabularies))
    return found


def _best(difference: Vectors, vocabularies: Sequence[Words]) -> tuple[str, ...]:
    """So many of each vocabulary as it gives, the best of all first."""
    chosen: dict[str, float] = {}
    for each in vocabularies:
        contrast = each.vectors @ difference
        best = np.argsort(-contrast, kind="stable")[: each.labels]
        chosen |= {each.words[place]: float(contrast[place]) for place in best.tolist()}
    fitting = [word for word, contrast in chosen.items() if contrast > 0]
    return tuple(sorted(fitting, key=lambda word: -chosen[word]))


def carried_names(
    named: Sequence[tuple[str, Ids]], image_ids: Ids, clusters: Numbers
) -> dict[int, str]:
    """The names that clusters of a former map had, by the numbers of those that are the same now.

    Each name with the pictures that were called so. Clusters are the same that share most of their
    pictures (Jaccard index), a third at least; no two get one name.
    """
    pairs = []
    for place, (_, members) in enumerate(named):
        shared = clusters[np.isin(image_ids, members)]
        numbers, counts = np.unique(shared[shared >= 0], return_counts=True)
        for number, both in zip(numbers.tolist(), counts.tolist(), strict=True):
            either = len(members) + int((clusters == number).sum()) - both
            pairs.append((both / either, place, number))
    carried: dict[int, str] = {}
    given: set[int] = set()
    for overlap, place, number in sorted(pairs, reverse=True):
        if overlap >= _SAME and place not in given and number not in carried:
            carried[number] = named[place][0]
            given.add(place)
    return carried
