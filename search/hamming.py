"""Pairs of 64-bit hashes that differ in a few bits, without a look at every pair.

Multi-index hashing (Norouzi, Punjani, Fleet: "Fast Search in Hamming Space with Multi-Index
Hashing", CVPR 2012): of two hashes that differ in at most 7 bits, one of four bands of 16 bits
differs in at most one. So only those are compared that share a band, or would if a bit of it were
another one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Positions = NDArray[np.intp]

FARTHEST = 7
"""In how many bits two hashes may differ and still be found."""

# The bits of a difference hash lie in 8 rows of 8. A band takes two of each row, a diagonal: a row
# as a whole is often empty ground, and a band of such rows would be shared by very many.
_BANDS = tuple(
    np.uint64(sum(1 << bit for bit in range(64) if (bit % 8 + bit // 8) % 4 == band))
    for band in range(4)
)
_PAIRS = 1 << 20  # compared at a time, which take some tens of megabytes


def distance(one: Hashes, other: Hashes) -> NDArray[np.uint8]:
    """In how many bits hashes differ."""
    differing: NDArray[np.uint8] = np.bitwise_count(one ^ other)
    return differing


def near_pairs(hashes: Hashes) -> Iterator[tuple[Positions, Positions]]:
    """Each pair that differs in at most FARTHEST bits, once, some at a time, as positions."""
    for number, band in enumerate(_BANDS):
        for first, second in _sharing(hashes, band):
            differing = hashes[first] ^ hashes[second]
            near = np.bitwise_count(differing) <= FARTHEST
            for earlier in _BANDS[:number]:  # which has found it already
                near &= np.bitwise_count(differing & earlier) > 1
            if near.any():
                yield first[near], second[near]


def _sharing(hashes: Hashes, band: np.uint64) -> Iterator[tuple[Positions, Positions]]:
    """Pairs of which the band is the same but for one bit at most."""
    keys, bucket = np.unique(hashes & band, return_inverse=True)
    order = np.argsort(bucket, kind="stable")
    bucket = bucket[order]
    starts = np.searchsorted(bucket, np.arange(len(keys) + 1))
    positions = np.arange(len(hashes))
    yield from _joined(order, positions + 1, starts[bucket + 1])
    for bit in range(64):
        flip = np.uint64(1 << bit)
        if band & flip:
            # Each two buckets once: from the one without the bit to the one that has it.
            partner = np.searchsorted(keys, keys | flip)
            partner[(keys & flip != 0) | (keys[partner % len(keys)] != keys | flip)] = -1
            there = partner[bucket]
            yield from _joined(
                order,
                np.where(there < 0, 0, starts[there]),
                np.where(there < 0, 0, starts[there + 1]),
            )


def _joined(
    order: Positions, begins: Positions, ends: Positions
) -> Iterator[tuple[Positions, Positions]]:
    """Each element of `order` with those at its own range of places in `order`, _PAIRS at a time.

    One element's partners are never divided, so there may be as many more as there are elements.
    """
    counts = ends - begins
    filled = np.flatnonzero(counts)
    totals = np.cumsum(counts[filled])
    done = 0
    while done < len(filled):
        before = totals[done - 1] if done else 0
        end = max(done + 1, int(np.searchsorted(totals, before + _PAIRS)))
        some = filled[done:end]
        many = counts[some]
        first = np.repeat(some, many)
        within = np.arange(len(first)) - np.repeat(np.cumsum(many) - many, many)
        yield order[first], order[begins[first] + within]
        done = end
