"""CLIP's text: cleaned as OpenAI's and open_clip's SimpleTokenizer do, then byte-level BPE.

Of a checkpoint only the vocabulary and the merges are taken. The rest is built here, so that every
checkpoint gives the ids of open_clip 3.3, whatever the normaliser that its tokenizer.json has.
(What is a letter is decided by the Unicode of the `tokenizers` library, 16; the reference's follows
its `regex` package.)
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as Steps
from tokenizers.processors import TemplateProcessing

from mlx_clip.errors import TokenizerError, UnsupportedModelError
from mlx_clip.tokenizer_files import TokenizerFiles, broken, read_json

_LAST_PIECE = "</w>"
_NAMES = (("<|startoftext|>", "<|endoftext|>"), ("<start_of_text>", "<end_of_text>"))
# The library finds its special tokens anywhere, and the reference only where a word could begin.
# No cleaned text holds a control character: so these stand for them, and clean() says where.
_START, _END = "\x02", "\x03"
# The reference reads a special token's name in a text as that token, unless what is before it is
# punctuation, with which it then makes one word.
_SPECIAL = re.compile(r"(?<![^\w\s])(?<!_)(?:<(?:start|end)_of_text>)+")
# The reference ignores case, so that ſ is an s. Not in brackets, \p{L} has U+0345, a mark with a
# letter for its capital, lost between the alternatives, as it is there.
_WORD = (
    r"(?i)(?:<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d"
    r"|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+)"
)

Merges = list[tuple[str, str]]


def clean(text: str) -> str:
    """A text as CLIP's tokenizer wants it: mended, unescaped, with single spaces, lower-case."""
    import ftfy

    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return _SPECIAL.sub(_named, " ".join(text.split()).lower())


def read_clip(files: TokenizerFiles) -> tuple[Tokenizer, int]:
    """The tokenizer of a CLIP checkpoint, and the id that it pads with.

    From tokenizer.json, or from vocab.json and merges.txt. Raises TokenizerError when there is
    neither or they make no sense, UnsupportedModelError for a tokenizer of another kind.
    """
    path = files.path(("tokenizer.json",), ("vocab.json", "merges.txt"))
    read = _of_library if path.name == "tokenizer.json" else _of_openai
    try:
        vocab, merges = read(path)
        start, end = _special_tokens(vocab, path)
        padding = files.token("pad_token", end)
        if padding not in vocab:
            raise broken(path, f"it has no token {padding!r}")
        pad = vocab[padding]
        vocab[_START], vocab[_END] = vocab.pop(start), vocab.pop(end)
        return _build(vocab, merges), pad
    except (TokenizerError, UnsupportedModelError):
        raise
    except Exception as error:  # of the library's making, or of a file that makes no sense
        raise broken(path, error) from error


def _named(found: re.Match[str]) -> str:
    start, end = _NAMES[1]
    return found[0].replace(start, _START).replace(end, _END)


def _of_library(path: Path) -> tuple[dict[str, int], Merges]:
    content = read_json(path)
    model: Mapping[str, Any] = content["model"]
    if model.get("type", "BPE") != "BPE" or model.get("end_of_word_suffix") != _LAST_PIECE:
        raise UnsupportedModelError(
            f"{path} is not the tokenizer of a CLIP model, whose words end in {_LAST_PIECE}. "
            "Supported are CLIP models with the text encoder and tokenizer of OpenAI's"
        )
    vocab = {str(token): int(id_) for token, id_ in model["vocab"].items()}
    vocab.update({token["content"]: token["id"] for token in content.get("added_tokens", ())})
    return vocab, [_pair(merge) for merge in model["merges"]]


def _of_openai(path: Path) -> tuple[dict[str, int], Merges]:
    vocab = {str(token): int(id_) for token, id_ in read_json(path).items()}
    path = path.with_name("merges.txt")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        if lines and "#version" in lines[0]:
            lines = lines[1:]
        return vocab, [_pair(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise broken(path, error) from error


def _pair(merge: str | Sequence[str]) -> tuple[str, str]:
    first, second = merge.split() if isinstance(merge, str) else merge
    return first, second


def _special_tokens(vocab: Mapping[str, int], path: Path) -> tuple[str, str]:
    for start, end in _NAMES:
        if start in vocab and end in vocab:
            return start, end
    raise broken(path, f"it has no start and end token, such as {' and '.join(_NAMES[0])}")


def _build(vocab: dict[str, int], merges: Merges) -> Tokenizer:
    tokenizer = Tokenizer(BPE(vocab, merges, unk_token=_END, end_of_word_suffix=_LAST_PIECE))
    tokenizer.pre_tokenizer = Steps(
        [
            Split(Regex(_WORD), "removed", invert=True),
            ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    special = [(token, vocab[token]) for token in (_START, _END)]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token, _ in special])
    tokenizer.post_processor = TemplateProcessing([_START, "$A", _END], special_tokens=special)
    return tokenizer
