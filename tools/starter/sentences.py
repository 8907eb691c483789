"""Sentence vectors of all-MiniLM-L6-v2, which everything that the model says is made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tools.starter.graph import Array, session
from tools.starter.text_graph import sentence_graph

_AT_ONCE = 64


def unit(vectors: NDArray[np.floating]) -> Array:
    """The rows at length 1; a row of zeros stays so."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)


class Sentences:
    """Texts to vectors, in the sentence encoder's own space."""

    def __init__(self, bert: Mapping[str, Array], tokenizer: Mapping[str, Any]) -> None:
        self._session = session(sentence_graph(bert))
        self._tokenizer = Tokenizer.from_str(json.dumps(tokenizer))
        self._tokenizer.enable_padding()

    def __call__(self, texts: Iterable[str]) -> Array:
        """n texts -> float32 (n, 384), L2-normalised."""
        found = list(texts)
        parts = [found[start : start + _AT_ONCE] for start in range(0, len(found), _AT_ONCE)]
        return np.concatenate([self._encode(part) for part in parts])

    def tokens(self, texts: Sequence[str]) -> dict[str, Any]:
        """The inputs of a text graph for one batch."""
        encoded = self._tokenizer.encode_batch(list(texts))
        return {
            "input_ids": np.array([text.ids for text in encoded], np.int64),
            "attention_mask": np.array([text.attention_mask for text in encoded], np.int64),
        }

    def _encode(self, texts: Sequence[str]) -> Array:
        return np.asarray(self._session.run(None, self.tokens(texts))[0])
