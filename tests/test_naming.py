"""What clusters are called: by contrast, and as somebody called them before."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from search.naming import VOCABULARY, Words, carried_names, labels, read_words

X, Y, Z = np.eye(3, dtype=np.float32)
# Two clusters: both are of X most of all, the first of Y besides, the second of Z.
VECTORS = np.stack([0.9 * X + 0.4 * Y] * 3 + [0.95 * X + 0.3 * Z] * 5)
CLUSTERS = np.array([0, 0, 0, 1, 1, 1, 1, 1], np.int32)


def test_a_label_fits_better_than_it_fits_the_rest() -> None:
    words = Words(("of all", "first", "second"), np.stack([X, Y, Z]), 2)
    assert labels(VECTORS, CLUSTERS, [words]) == [("first",), ("second", "of all")]


def test_both_vocabularies_give_labels_and_none_gives_one_twice() -> None:
    one = Words(("first", "second"), np.stack([Y, Z]), 1)
    assert labels(VECTORS, CLUSTERS, [one, one]) == [("first",), ("second",)]


def test_the_best_of_both_vocabularies_comes_first() -> None:
    weak, strong = (
        Words(("weak",), (X + Y)[None] * np.float32(0.5), 1),
        Words(("strong",), Y[None], 1),
    )
    assert labels(VECTORS, CLUSTERS, [weak, strong])[0] == ("strong", "weak")


def test_noise_is_of_the_rest() -> None:
    clusters = np.array([0, 0, 0, -1, -1, -1, -1, -1], np.int32)
    words = Words(("of all", "first"), np.stack([X, Y]), 2)
    assert labels(VECTORS, clusters, [words]) == [("first",)]


def test_the_vocabularies_are_large_and_without_repetition(tmp_path: Path) -> None:
    for name in ("styles.txt", "general.txt"):
        words = read_words(VOCABULARY / name)
        assert len(words) >= 300
        assert len({word.lower() for word in words}) == len(words)
    file = tmp_path / "words.txt"
    file.write_text("# mine\n\none\none # again\n two words \n", encoding="utf-8")
    assert read_words(file) == ["one", "two words"]


def test_names_go_to_the_clusters_that_share_their_pictures() -> None:
    ids = np.arange(100)
    former = [("left", np.arange(40)), ("right", np.arange(60, 100)), ("lost", np.arange(40, 60))]
    # The middle was taken in by both sides.
    now = np.where(ids < 52, 1, 0).astype(np.int32)
    assert carried_names(former, ids, now) == {1: "left", 0: "right"}


def test_a_name_goes_nowhere_when_its_pictures_were_scattered() -> None:
    ids = np.arange(100)
    scattered = (ids % 10).astype(np.int32)
    assert carried_names([("mine", np.arange(50))], ids, scattered) == {}


def test_noise_gets_no_name() -> None:
    noise = np.full(10, -1, np.int32)
    assert carried_names([("mine", np.arange(10))], np.arange(10), noise) == {}
