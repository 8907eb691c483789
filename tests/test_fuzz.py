"""Mutated pictures through the reader: a few of those that `make reliability` tries."""

from __future__ import annotations

from collections import Counter

from reliability.fuzz import fuzz
from reliability.mutations import mutated


def test_a_seed_and_a_number_name_a_file() -> None:
    assert mutated(1, 41) == mutated(1, 41)
    assert mutated(1, 41) != mutated(2, 41)


def test_none_crashes_hangs_or_raises() -> None:
    found = fuzz(200, seed=2)
    assert [one.number for one in found] == list(range(200))
    assert Counter(one.outcome for one in found).keys() <= {"read", "error"}
