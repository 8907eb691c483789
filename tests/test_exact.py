"""Exact ranking: in the order of float64 arithmetic, whole or by the page, ties included."""

from __future__ import annotations

import numpy as np
import pytest

from library.matrix import Rows
from library.models import Place
from library.vectors import Vectors
from search import exact

DIM = 16


def some_rows(count: int, copies: int = 1) -> Rows:
    """Unit vectors, each as often as `copies` says, in no order of their pictures' ids."""
    random = np.random.default_rng(5)
    vectors = np.repeat(random.normal(size=(count, DIM)).astype(np.float32), copies, axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = random.permutation(len(vectors))
    ids = np.arange(1, len(vectors) + 1, dtype=np.int64)
    return Rows(ids, random.permutation(ids), vectors[order])


def query() -> Vectors:
    vector = np.random.default_rng(6).normal(size=DIM).astype(np.float32)
    unit: Vectors = vector / np.float32(np.linalg.norm(vector))
    return unit


def by_the_book(rows: Rows) -> list[tuple[float, int]]:
    scores = np.round(rows.vectors.astype(np.float64) @ query().astype(np.float64), 6)
    return sorted(zip(-scores, rows.image_ids.tolist(), strict=True))


@pytest.mark.parametrize("copies", [1, 40])
@pytest.mark.parametrize("limit", [1, 7, 400, 1000])
def test_the_nearest_are_those_of_a_full_sort(copies: int, limit: int) -> None:
    rows = some_rows(400 // copies, copies)
    ranked = exact.rank(rows, query(), limit)
    wanted = by_the_book(rows)[:limit]
    assert ranked.image_ids.tolist() == [image_id for _, image_id in wanted]
    assert ranked.scores.tolist() == [-score for score, _ in wanted]


@pytest.mark.parametrize("copies", [1, 40])
@pytest.mark.parametrize("among", [False, True])
def test_pages_behind_each_other_are_the_whole_list(copies: int, among: bool) -> None:
    rows = some_rows(400 // copies, copies)
    chosen = np.arange(0, 400, 3) if among else None
    whole = exact.rank(rows, query(), 400, chosen).image_ids.tolist()
    pages: list[int] = []
    place = None
    while True:
        page = exact.rank(rows, query(), 7, chosen, place)
        if not len(page):
            break
        pages += page.image_ids.tolist()
        place = Place(float(page.scores[-1]), int(page.image_ids[-1]))
    assert pages == whole


def test_nothing_among_nothing() -> None:
    assert len(exact.rank(some_rows(10), query(), 5, np.empty(0, np.int64))) == 0
    assert len(exact.rank(some_rows(0), query(), 5)) == 0
