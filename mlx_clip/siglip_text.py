"""SigLIP's text: canonicalised as transformers' SiglipTokenizer does, then a unigram model.

The canonical form is that of big_vision's evaluators (proj/image_text/prompt_engineering.py).
"""

from __future__ import annotations

import base64
import json
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tokenizers import AddedToken, Tokenizer
from tokenizers.models import Unigram as LibraryUnigram

from mlx_clip.charsmap import Charsmap
from mlx_clip.errors import UnsupportedModelError
from mlx_clip.sentencepiece import read_sentencepiece
from mlx_clip.tokenizer_files import TokenizerFiles, end_with, read_tokenizer, token_id
from mlx_clip.unigram import SPACE, Unigram

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


class SiglipText:
    """Texts to ids, at most `length`, the last being the end token. Safe to call from threads.

    `content` is a tokenizer.json as read_siglip gives it, parsed.
    """

    def __init__(
        self, content: Mapping[str, Any], *, length: int, pad_id: int, lower: bool
    ) -> None:
        self._unigram = _unigram(content)
        self._length = length
        self._lower = lower
        ((self._end,),) = [
            special["ids"] for special in content["post_processor"]["special_tokens"].values()
        ]
        names = {token["id"]: token["content"] for token in content["added_tokens"]}
        unknown = content["model"]["unk_id"]
        names[unknown] = content["model"]["vocab"][unknown][0]
        self._special = {names[id_]: id_ for id_ in (unknown, self._end, pad_id)}
        # The reference cuts a text with the unknown token's name before it, and drops the name: its
        # score decides, by rounding, between segmentations that are as likely as each other.
        self._before = SPACE + names[unknown]
        self._dropped = len(self._unigram(self._before))
        self._split = re.compile(f"({'|'.join(map(re.escape, self._special))})")

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """n texts -> n lists of ids, not padded."""
        return [self._ids(text) for text in texts]

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = []
        for part in self._split.split(SPACE + text.replace(SPACE, " ")):
            if part in self._special:
                ids.append(self._special[part])
            else:
                text = self._before + canonical(part, lower=self._lower)
                ids += self._unigram(text)[self._dropped :]
        ids = ids[: self._length - 1]
        return ids if ids[-1:] == [self._end] else [*ids, self._end]


def canonical(text: str, *, lower: bool) -> str:
    """A text without ASCII punctuation, with single spaces, lower-case if wanted."""
    if lower:
        text = text.lower()
    return re.sub(r"\s+", " ", text.translate(_NO_PUNCTUATION)).strip()


def read_siglip(files: TokenizerFiles) -> tuple[Tokenizer, int]:
    """The tokenizer of a SigLIP checkpoint, and the id that it pads with.

    From tokenizer.json or spiece.model. Raises TokenizerError when there is neither or it makes no
    sense, UnsupportedModelError for a tokenizer of another kind.
    """
    path = files.path(("tokenizer.json",), ("spiece.model",))
    tokenizer = (read_tokenizer if path.suffix == ".json" else read_sentencepiece)(path)
    if not isinstance(tokenizer.model, LibraryUnigram):
        raise UnsupportedModelError(f"{path} is not a unigram model, as SigLIP's tokenizer is")
    end, padding = files.token("eos_token", "</s>"), files.token("pad_token", "</s>")
    end_with(tokenizer, end, path)
    pad_id = token_id(tokenizer, padding, path)
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in (end, padding)])
    return tokenizer, pad_id


def read_unigram(tokenizer: Tokenizer) -> Unigram:
    """The unigram model of a tokenizer that has one, without what is done before and after it."""
    return _unigram(json.loads(tokenizer.to_str()))


def _unigram(content: Mapping[str, Any]) -> Unigram:
    model = content["model"]
    vocab: list[tuple[str, float]] = model["vocab"]
    ids = {piece: id_ for id_, (piece, _) in enumerate(vocab)}
    names = [f"<0x{byte:02X}>" for byte in range(256)] if model["byte_fallback"] else []
    special = {token["content"] for token in content["added_tokens"]}
    apart = special.union(names, [vocab[model["unk_id"]][0]])
    return Unigram(
        {p: (id_, score) for id_, (p, score) in enumerate(vocab) if p not in apart},
        model["unk_id"],
        [ids[name] for name in names],
        Charsmap(next(_charsmaps(content["normalizer"] or {}), b"")),
    )


def _charsmaps(normalizer: Mapping[str, Any]) -> Iterator[bytes]:
    if normalizer.get("precompiled_charsmap"):
        yield base64.b64decode(normalizer["precompiled_charsmap"])
    for step in normalizer.get("normalizers", ()):
        yield from _charsmaps(step)
