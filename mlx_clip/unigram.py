"""SentencePiece's unigram model: a text to the likeliest sequence of pieces.

The same as `EncodeOptimized` of google/sentencepiece 0.2.3 (unigram_model.cc), to the last bit of
its float32 sums: rounding decides between segmentations that are as likely as each other, such as
`88 8` and `8 88`. The `tokenizers` library adds in float64 and takes others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from mlx_clip.charsmap import Charsmap

SPACE = "▁"

_UNKNOWN_PENALTY = np.float32(10)


class Unigram:
    """A unigram model. Safe to call from several threads.

    `pieces` are those that a text can be cut into, with their ids and scores; `unknown` is the id
    of any other character, unless `bytes_` has the ids of the 256 bytes that then spell it.
    """

    def __init__(
        self,
        pieces: Mapping[str, tuple[int, float]],
        unknown: int,
        bytes_: Sequence[int],
        charsmap: Charsmap,
    ) -> None:
        self._pieces = {piece: (id_, np.float32(score)) for piece, (id_, score) in pieces.items()}
        self._longest = max(map(len, pieces), default=0)
        least = min((score for _, score in self._pieces.values()), default=np.float32(0))
        self._unknown = unknown, least - _UNKNOWN_PENALTY
        self._bytes = bytes_
        self._charsmap = charsmap

    def __call__(self, text: str) -> list[int]:
        """The ids of a text, as it is: SentencePiece would put a space before it."""
        text = self._normalised(text)
        ids: list[int] = []
        for start, end, id_ in self._segments(text):
            if id_ != self._unknown[0]:
                ids.append(id_)
            elif self._bytes:
                ids += [self._bytes[byte] for byte in text[start:end].encode()]
            elif not ids or ids[-1] != id_:  # a run of unknown characters is one unknown
                ids.append(id_)
        return ids

    def _normalised(self, text: str) -> str:
        spaced = re.sub(" +", " ", self._charsmap(text))
        return spaced.replace(" ", SPACE).rstrip(SPACE)

    def _segments(self, text: str) -> list[tuple[int, int, int]]:
        """The best path as (start, end, id), found forwards and read backwards (Viterbi)."""
        scores: list[np.float32 | None] = [np.float32(0), *[None] * len(text)]
        steps = [(0, 0)] * (len(text) + 1)
        for start in range(len(text)):
            here = scores[start]
            assert here is not None  # every character is a step, known or not
            for end, id_, score in self._candidates(text, start):
                total = here + score
                best = scores[end]
                if best is None or total > best:
                    scores[end], steps[end] = total, (start, id_)
        path = []
        end = len(text)
        while end:
            start, id_ = steps[end]
            path.append((start, end, id_))
            end = start
        return path[::-1]

    def _candidates(self, text: str, start: int) -> list[tuple[int, int, np.float32]]:
        ends = range(start + 1, min(len(text), start + self._longest) + 1)
        found = [
            (end, *piece)
            for end in ends
            if (piece := self._pieces.get(text[start:end])) is not None
        ]
        if not found or found[0][0] != start + 1:
            found.append((start + 1, *self._unknown))
        return found
