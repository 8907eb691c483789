"""Words as the model in use wants them: some words -> the vector that pictures are ranked by.

CLIP was trained on captions, and a bare name is not one: it gets the mean of the sentences in
mlx_clip/templates.py, whose effect is published there and was not measured by this project, which
has measured it with the starter model alone (`python -m bench retrieval`): that compares sentences
with sentences, and templates answer no more of its questions. For SigLIP no effect is published
that could be relied on, and many of its checkpoints read other languages than the templates'.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from mlx_clip import Encoder, Vectors
from mlx_clip.templates import averaged

# A longer text is a caption already.
_MOST_WORDS = 3
_WORD = re.compile(r"[^\W\d_]+(['’-][^\W\d_]+)*")
_ARTICLES = frozenset({"a", "an", "the"})


def embed(encoder: Encoder, words: str) -> Vectors:
    """The vector (dim,) of what somebody searches for, L2-normalised.

    Raises mlx_clip's InputError when the words have none.
    """
    name = _name(words) if encoder.family == "clip" else None
    if name is not None:
        return averaged(encoder, name)
    vector: Vectors = encoder.encode_texts([words])[0]
    return vector


def embed_all(encoder: Encoder, queries: Sequence[str]) -> Vectors:
    """As embed, for n queries: (n, dim)."""
    return np.stack([embed(encoder, words) for words in queries])


def _name(words: str) -> str | None:
    """What a template can speak of: a few plain words, without their article; None for others."""
    parts = words.split()
    if parts and parts[0].lower() in _ARTICLES:
        parts = parts[1:]
    if 0 < len(parts) <= _MOST_WORDS and all(map(_WORD.fullmatch, parts)):
        return " ".join(parts)
    return None
