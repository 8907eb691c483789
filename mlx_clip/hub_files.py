"""Which files of a model's repository are needed, and which make a model without asking the Hub."""

from __future__ import annotations

from collections.abc import Collection

from mlx_clip.checkpoint import CONFIG_FILES, TOKENIZER_FILES
from mlx_clip.weights import choose_weights

SENTENCEPIECE = ("spiece.model", "tokenizer.model")


def needed_beside_weights(names: Collection[str]) -> list[str]:
    """Configuration, then tokenizer; SentencePiece only where there is no tokenizer.json."""
    wanted = [*CONFIG_FILES, *(name for name in TOKENIZER_FILES if name not in SENTENCEPIECE)]
    if "tokenizer.json" not in names:
        wanted += SENTENCEPIECE
    return [name for name in wanted if name in names]


def speaks_for_itself(names: Collection[str]) -> bool:
    """Whether a folder that something else filled has each kind of file that a model is made of.

    Other programs leave out what they do not need (the tokenizer, the preprocessing): such a
    folder must be completed from the Hub, since a default in its place gives other vectors.
    """
    kinds = (
        ({"config.json"}, {"open_clip_config.json"}),
        ({"preprocessor_config.json"}, {"processor_config.json"}, {"open_clip_config.json"}),
        ({"tokenizer.json"}, {"vocab.json", "merges.txt"}, *({name} for name in SENTENCEPIECE)),
    )
    there = set(names)
    return choose_weights(names) is not None and all(
        any(way <= there for way in kind) for kind in kinds
    )
