"""TextTokenizer: texts to the ids that a model reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import BPE

from mlx_clip import clip_text
from mlx_clip.clip_text import read_clip
from mlx_clip.encoder import Family
from mlx_clip.errors import EmptyTextError, TextTooLongError, TokenizerError
from mlx_clip.siglip2_text import read_siglip2
from mlx_clip.siglip_text import SiglipText, read_siglip
from mlx_clip.tokenizer_files import TokenizerFiles, broken, read_tokenizer

Ids = NDArray[np.int64]

LONGEST_TEXT = 20_000
"""Characters: a model reads about a hundred words, and cleaning takes time for all of them."""

_FILE = "tokenizer.json"
_NONSENSE = (KeyError, ValueError, TypeError, IndexError)
# T5's vocabularies end in these, and a model need not have them: no text holds them.
_SENTINEL = "<extra_id_"


@dataclass(frozen=True)
class TextFormat:
    """What a tokenizer.json does not say."""

    clean: str
    """What is done to a text first: "clip", "siglip", "siglip-cased" or "none"."""
    length: int
    """How many ids the model reads."""
    fixed: bool
    """Whether every text is padded to `length` (SigLIP), not to the longest of its batch (CLIP)."""
    pad_id: int


class TextTokenizer:
    """Texts to the ids that a model reads. Safe to call from several threads."""

    def __init__(self, tokenizer: Tokenizer, format_: TextFormat) -> None:
        self.length = format_.length
        self.fixed = format_.fixed
        self._format = format_
        self._tokenizer = tokenizer
        self._ids = _encoding(tokenizer, format_)

    @classmethod
    def from_config(cls, path: Path, config: Mapping[str, Any]) -> TextTokenizer:
        """What save() wrote to `path`, with what config() returned; or the starter model's.

        Raises TokenizerError.
        """
        tokenizer = read_tokenizer(path)
        try:
            length = int(config["length"] if "length" in config else config["max_length"])
            return cls(
                tokenizer,
                TextFormat(
                    str(config.get("clean", "none")),
                    length,
                    bool(config.get("fixed", False)),
                    int(config.get("pad_id", 0)),
                ),
            )
        except _NONSENSE as error:
            raise broken(path, error) from error

    @property
    def family(self) -> Family:
        """The family of the models whose texts are read so."""
        if self._format.clean == "clip":
            return "clip"
        return "siglip" if self.fixed else "other"

    def config(self) -> dict[str, Any]:
        """What from_config needs beside the file, to be kept as JSON."""
        return asdict(self._format)

    def save(self, folder: Path) -> None:
        """Write tokenizer.json."""
        (folder / _FILE).write_text(self._tokenizer.to_str(), encoding="utf-8")

    def __call__(self, texts: Sequence[str]) -> Ids:
        """n texts -> int64 (n, longest), padded; longest is `length` where that is fixed.

        A text of more ids than `length` is cut, and keeps its end token. Raises EmptyTextError for
        a blank text and TextTooLongError for one above LONGEST_TEXT.
        """
        return self.encode(texts)[0]

    def encode(self, texts: Sequence[str]) -> tuple[Ids, Ids]:
        """As __call__, with the mask that says where a text is (1) and where padding (0)."""
        for text in texts:
            _check(text)
        rows = self._ids(texts)
        longest = self.length if self.fixed else max(map(len, rows), default=0)
        ids = np.full((len(rows), longest), self._format.pad_id, np.int64)
        mask = np.zeros_like(ids)
        for row, text_ids in enumerate(rows):
            ids[row, : len(text_ids)] = text_ids
            mask[row, : len(text_ids)] = 1
        return ids, mask


def load_tokenizer(
    folder: Path, family: Literal["clip", "siglip"], *, length: int, vocab_size: int
) -> TextTokenizer:
    """The tokenizer of a checkpoint whose model reads `length` ids below `vocab_size`.

    Raises TokenizerError when there is none, when it is broken, or belongs to a larger model;
    UnsupportedModelError when it is of another kind.
    """
    files = TokenizerFiles(folder)
    if family == "clip":
        (tokenizer, pad_id), clean = read_clip(files), "clip"
    elif _is_siglip2(files):
        (tokenizer, pad_id), clean = read_siglip2(files), "none"
    else:
        cased = files.settings.get("do_lower_case") is False
        (tokenizer, pad_id), clean = read_siglip(files), "siglip-cased" if cased else "siglip"
    _check_ids(tokenizer, vocab_size, folder)
    try:
        return TextTokenizer(tokenizer, TextFormat(clean, length, family == "siglip", pad_id))
    except _NONSENSE as error:
        raise broken(folder, error) from error


def _is_siglip2(files: TokenizerFiles) -> bool:
    """As its config says, or else as its file is: one is a unigram model, the other BPE."""
    kind = str(files.settings.get("tokenizer_class"))
    if kind.startswith(("Gemma", "Siglip")):
        return not kind.startswith("SiglipTokenizer")
    path = files.folder / _FILE
    return path.is_file() and isinstance(read_tokenizer(path).model, BPE)


def _check_ids(tokenizer: Tokenizer, vocab_size: int, folder: Path) -> None:
    ids = [id_ for token, id_ in tokenizer.get_vocab().items() if _SENTINEL not in token]
    if max(ids) >= vocab_size:
        raise TokenizerError(
            f"the tokenizer in {folder} has ids up to {max(ids)}, and the model reads only those "
            f"below {vocab_size}: they do not belong together. Copy the whole model again"
        )


def _check(text: str) -> None:
    if not text.strip():
        raise EmptyTextError("the text is empty: write what to look for")
    if len(text) > LONGEST_TEXT:
        raise TextTooLongError(
            f"the text has {len(text):,} characters, and {LONGEST_TEXT:,} is the limit: shorten it"
        )


def _encoding(
    tokenizer: Tokenizer, format_: TextFormat
) -> Callable[[Sequence[str]], list[list[int]]]:
    """The way from texts to ids, cut to the length and not padded."""
    if format_.clean in ("siglip", "siglip-cased"):
        siglip = SiglipText(
            json.loads(tokenizer.to_str()),
            length=format_.length,
            pad_id=format_.pad_id,
            lower=format_.clean == "siglip",
        )
        return lambda texts: siglip([_whole(text) for text in texts])
    clean = _CLEANERS[format_.clean]
    tokenizer.no_padding()
    tokenizer.enable_truncation(format_.length)
    return lambda texts: [
        encoding.ids for encoding in tokenizer.encode_batch([clean(text) for text in texts])
    ]


def _whole(text: str) -> str:
    """A text without halves of surrogate pairs, which have no UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


_CLEANERS = {"clip": clip_text.clean, "none": _whole}
