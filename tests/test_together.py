"""Together: texts of several threads in one go."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mlx_clip import Encoder, InputError
from mlx_clip.encoder import Vectors
from mlx_clip.together import Together


class Held:
    """The encoder's texts, of which a first call is held up until it is let go."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.calls: list[Sequence[str]] = []
        self.begun = threading.Event()
        self.let_go = threading.Event()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(texts)
        self.begun.set()
        self.let_go.wait()
        return self._encoder.encode_texts(texts)


def ask_while_one_is_at_work(held: Held, asked: Sequence[Sequence[str]]) -> list[object]:
    """What each call gave or raised; all but the first came while that was at work."""
    together = Together(held)
    with ThreadPoolExecutor(len(asked)) as pool:
        futures = [pool.submit(together, asked[0])]
        held.begun.wait()
        futures += [pool.submit(together, texts) for texts in asked[1:]]
        while len(together._waiting) < len(asked) - 1:
            threading.Event().wait(0.01)
        held.let_go.set()
        return [future.exception() or future.result() for future in futures]


def test_what_came_meanwhile_is_encoded_in_one_go(encoder: Encoder) -> None:
    asked = [["a dog"], ["a cat", "a tree"], ["the sea"], []]
    held = Held(encoder)
    for texts, found in zip(asked, ask_while_one_is_at_work(held, asked), strict=True):
        assert isinstance(found, np.ndarray)
        np.testing.assert_allclose(found, encoder.encode_texts(texts), atol=1e-5)
    assert len(held.calls) == 2


def test_who_asks_for_nothing_that_can_be_encoded_is_alone_with_it(encoder: Encoder) -> None:
    asked = [["a dog"], ["a cat"], [""], ["the sea"]]
    first, cat, nothing, sea = ask_while_one_is_at_work(Held(encoder), asked)
    assert isinstance(nothing, InputError)
    assert all(isinstance(found, np.ndarray) for found in (first, cat, sea))


def test_what_breaks_the_model_breaks_all_of_it() -> None:
    def broken(texts: Sequence[str]) -> Vectors:
        raise MemoryError

    with pytest.raises(MemoryError):
        Together(broken)(["a dog"])
