"""SentencePiece's precompiled table of characters, read as SentencePiece reads it.

The format (normalizer.cc of google/sentencepiece): a uint32 of the length of a trie in bytes, the
trie (a Darts double array of uint32 units, keys in UTF-8), then what the keys become, as
NUL-terminated UTF-8 strings that the trie's values point to.

The `tokenizers` library has a reader of its own, `normalizers.Precompiled`, which goes by graphemes
and loses the accents on some of them.
"""

from __future__ import annotations

import numpy as np

from mlx_clip.errors import TokenizerError

_LABEL = 0x8000_00FF
_VALUE = 0x7FFF_FFFF


class Charsmap:
    """What each character, or sequence of characters, becomes. An empty table changes nothing.

    Raises TokenizerError when `table` is cut off.
    """

    def __init__(self, table: bytes) -> None:
        size = int.from_bytes(table[:4], "little")
        if table and (size % 4 or not size or len(table) < 4 + size):
            raise TokenizerError(
                "the tokenizer's table of characters (precompiled_charsmap) is cut off. "
                "Get its file again"
            )
        self._units: list[int] = np.frombuffer(table[4 : 4 + size], "<u4").tolist()
        self._strings = table[4 + size :]

    def __call__(self, text: str) -> str:
        """Replace the longest key at each place by its value, going from left to right."""
        if not self._units:
            return text
        data = text.encode()
        out = bytearray()
        at = 0
        while at < len(data):
            end, value = self._longest(data, at)
            if value is None:
                end = at + _width(data[at])
                out += data[at:end]
            else:
                out += self._strings[value : self._strings.index(0, value)]
            at = end
        return out.decode()

    def _longest(self, data: bytes, start: int) -> tuple[int, int | None]:
        """Where the longest key that begins at `start` ends, and where its value stands."""
        units = self._units
        best: tuple[int, int | None] = (start, None)
        node = _offset(units[0])
        for at in range(start, len(data)):
            node ^= data[at]
            if node >= len(units) or units[node] & _LABEL != data[at]:
                break
            has_leaf = units[node] >> 8 & 1
            node ^= _offset(units[node])
            if has_leaf:
                best = at + 1, units[node] & _VALUE
        return best


def _offset(unit: int) -> int:
    return unit >> 10 << ((unit & 0x200) >> 6)


def _width(first: int) -> int:
    """How many bytes a character has in UTF-8, by its first byte."""
    return 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
