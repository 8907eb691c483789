"""Pairs of near hashes, and groups of near duplicates, beside what a look at every pair gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from library.duplicates import Present
from library.vectors import Vectors
from search.hamming import FARTHEST, Hashes, Positions, distance, near_pairs
from search.near import Near, NearDuplicates

DIM = 64
LINE = 0.86  # any will do
HALF = np.uint64(0x0F0F0F0F0F0F0F0F)  # 32 bits set: as many as a photograph has


def random_hashes(count: int, seed: int = 0) -> Hashes:
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64)


def flipped(value: np.uint64, *bits: int) -> np.uint64:
    for bit in bits:
        value ^= np.uint64(1 << bit)
    return value


def unit(vectors: Vectors) -> Vectors:
    normal: Vectors = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return normal


def random_vectors(count: int, seed: int = 0) -> Vectors:
    return unit(np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32))


def turned(vector: Vectors, cosine: float, seed: int) -> Vectors:
    """A unit vector of a given cosine similarity to another."""
    other = random_vectors(1, seed)[0]
    other = unit(other - (other @ vector) * vector)
    return unit(cosine * vector + float(np.sqrt(1 - cosine**2)) * other)


def found(
    hashes: Sequence[np.uint64] | Hashes,
    vectors: Vectors,
    shapes: Sequence[float] | None = None,
    known: Sequence[bool] | None = None,
) -> list[Near]:
    count = len(hashes)
    pictures = Present(
        ids=np.arange(100, 100 + count),
        hashes=np.array(hashes, np.uint64),
        known=np.ones(count, np.bool_) if known is None else np.array(known),
        shapes=np.zeros(count) if shapes is None else np.array(shapes),
        sizes=np.ones(count, np.int64),
        copies=np.ones(count, np.int64),
    )
    return list(NearDuplicates(pictures, lambda ids: vectors[np.array(ids) - 100], LINE).groups())


def test_pairs_are_those_that_a_look_at_all_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.hamming._PAIRS", 100)  # so that there is more than one lot
    rng = np.random.default_rng(0)
    hashes = random_hashes(600)
    # Of some of them others at every distance up to ten bits, and sparse ones, which share bands.
    for place in range(300):
        bits = rng.choice(64, place % 11, replace=False)
        hashes[place + 300] = flipped(hashes[place], *bits.tolist())
    hashes[:60] &= random_hashes(60, 1) & random_hashes(60, 2)
    pairs = [
        tuple(sorted(pair))
        for one, other in near_pairs(hashes)
        for pair in zip(one.tolist(), other.tolist(), strict=True)
    ]
    places = np.array(np.triu_indices(len(hashes), 1))
    close = distance(hashes[places[0]], hashes[places[1]]) <= FARTHEST
    assert sorted(pairs) == [tuple(pair) for pair in places[:, close].T.tolist()]
    assert len(pairs) > 200


def test_there_may_be_no_hash_or_one() -> None:
    assert list(near_pairs(random_hashes(0))) == []
    assert list(near_pairs(random_hashes(1))) == []
    assert found([], random_vectors(0)) == []


def test_both_the_hash_and_the_model_have_to_find_them_alike() -> None:
    vectors = random_vectors(8)
    vectors[1] = turned(vectors[0], 0.97, 1)
    vectors[3] = turned(vectors[2], 0.80, 2)  # the model sees another thing
    vectors[5] = turned(vectors[4], 0.999, 3)  # the hash another picture of it
    vectors[7] = turned(vectors[6], 0.97, 4)
    hashes = random_hashes(4, 5).repeat(2)
    hashes[1] = flipped(hashes[1], 3, 40)
    hashes[5] = flipped(hashes[5], *range(8))
    groups = found(hashes, vectors)
    assert [group.places for group in groups] == [(0, 1), (6, 7)]
    assert groups[0].similarities == pytest.approx((1, 0.97), abs=1e-5)


def test_the_more_the_hashes_differ_the_closer_the_vectors_have_to_be() -> None:
    vectors = random_vectors(4)
    vectors[1], vectors[3] = turned(vectors[0], 0.9, 1), turned(vectors[2], 0.9, 2)
    far = ~HALF ^ np.uint64(0xFF00)
    assert [group.places for group in found([HALF, HALF, far, far], vectors)] == [(0, 1), (2, 3)]
    seven = flipped(far, *range(7))
    assert [group.places for group in found([HALF, HALF, far, seven], vectors)] == [(0, 1)]


def test_a_hash_that_says_nothing_asks_for_the_same_vector() -> None:
    vectors = random_vectors(3)
    vectors[1], vectors[2] = turned(vectors[0], 0.98, 1), turned(vectors[0], 0.995, 2)
    assert [group.places for group in found([np.uint64(0)] * 3, vectors)] == [(0, 2)]


def test_pictures_of_another_shape_or_without_hash_or_vector_are_no_duplicates() -> None:
    vectors = random_vectors(1).repeat(4, axis=0)
    shapes, known = (0.0, 0.1, 0.5, 0.0), (True, True, True, False)
    assert [g.places for g in found([HALF] * 4, vectors, shapes, known)] == [(0, 1)]


def test_no_chain_joins_pictures_that_differ() -> None:
    """Each is like the next, but the last is not like the first."""
    vectors = random_vectors(1).repeat(6, axis=0)
    side = turned(vectors[0], 0.0, 1)
    for step in range(6):
        angle = step * 0.3
        vectors[step] = unit(np.cos(angle) * vectors[0] + np.sin(angle) * side)
    groups = found([HALF] * 6, vectors)
    assert [group.places for group in groups] == [(0, 1), (2, 3), (4, 5)]
    hashes = [flipped(HALF, *range(4 * step)) for step in range(4)]
    groups = found(hashes, random_vectors(1).repeat(4, axis=0))
    assert [group.places for group in groups] == [(0, 1), (2, 3)]


def test_twenty_thousand_white_pictures_are_one_group_and_not_200_million_pairs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    vectors = random_vectors(1).repeat(20_000, axis=0)
    vectors[7] = turned(vectors[7], 0.5, 1)
    real = NearDuplicates._vectors

    def counted(self: NearDuplicates, places: Positions) -> Vectors:
        asked.append(len(places))
        return real(self, places)

    monkeypatch.setattr(NearDuplicates, "_vectors", counted)
    (group,) = found(np.zeros(20_000, np.uint64), vectors)
    assert len(group.places) == 19_999
    assert 7 not in group.places
    assert sum(asked) < 50_000


def test_a_crowd_is_still_found_among_other_hashes() -> None:
    vectors = random_vectors(1).repeat(30, axis=0)
    hashes = [HALF] * 29 + [flipped(HALF, 5)]
    (group,) = found(hashes, vectors)
    assert group.places == tuple(range(30))


def test_a_crowd_of_pictures_that_differ_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = random_vectors(500)
    vectors[1], vectors[499] = vectors[0], vectors[498]
    assert [g.places for g in found([HALF] * 500, vectors)] == [(0, 1), (498, 499)]
    monkeypatch.setattr("search.near._MOST_PRODUCTS", 500 * 64)
    assert [g.places for g in found([HALF] * 500, vectors)] == [(0, 1)]


def test_what_is_held_in_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.near._VECTORS", 10)
    vectors = random_vectors(40)
    vectors[1::2] = vectors[::2]
    hashes = random_hashes(20).repeat(2)
    held: list[int] = []
    pictures = Present(
        np.arange(40),
        hashes,
        np.ones(40, np.bool_),
        np.zeros(40),
        np.ones(40, np.int64),
        np.ones(40, np.int64),
    )

    def rows(ids: Sequence[int]) -> Vectors:
        held.append(len(ids))
        asked: Vectors = vectors[np.array(ids)]
        return asked

    groups = list(NearDuplicates(pictures, rows, LINE).groups())
    assert [group.places for group in groups] == [(n, n + 1) for n in range(0, 40, 2)]
    assert max(held[1:]) <= 10  # the first is of the pairs, which have a bound of their own
