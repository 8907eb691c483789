"""Tokenizers of a few hundred tokens, in the layouts of the Hub, for models with random weights."""

from __future__ import annotations

import json
import string
from pathlib import Path

from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE, Unigram
from tokenizers.pre_tokenizers import ByteLevel

_WORDS = ("dog", "cat", "photo", "of", "the", "in", "snow", "red", "car", "two")


def write_clip(folder: Path) -> int:
    """vocab.json and merges.txt, as OpenAI's models have; gives the size of the vocabulary."""
    letters = sorted(ByteLevel.alphabet())
    merges = [pair for word in _WORDS for pair in _merges([*word[:-1], word[-1] + "</w>"])]
    merges = list(dict.fromkeys(merges))
    tokens = [*letters, *(letter + "</w>" for letter in letters), *map("".join, merges)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocab = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    _write(folder / "vocab.json", vocab)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _write(folder / "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer"})
    return len(vocab)


def write_siglip(folder: Path) -> int:
    """A unigram tokenizer.json, as SigLIP's; gives the size of the vocabulary."""
    pieces = ["▁", *(f"▁{word}" for word in _WORDS), *string.ascii_lowercase, *string.digits]
    vocab = [("<unk>", 0.0), ("</s>", 0.0), *((p, -1.0 - n / 10) for n, p in enumerate(pieces))]
    tokenizer = Tokenizer(Unigram(vocab, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(["<unk>", "</s>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    said = {"tokenizer_class": "SiglipTokenizer", "pad_token": "</s>", "eos_token": "</s>"}
    _write(folder / "tokenizer_config.json", {**said, "do_lower_case": True})
    return len(vocab)


def write_siglip2(folder: Path) -> int:
    """A BPE tokenizer.json with byte fallback, as Gemma's; gives the size of the vocabulary."""
    merges = [pair for word in _WORDS for pair in _merges(["▁", *word])]
    merges = list(dict.fromkeys(merges))
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokens += ["▁", *string.ascii_letters, *string.digits, *map("".join, merges)]
    vocab = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    tokenizer = Tokenizer(BPE(vocab, merges, unk_token="<unk>", byte_fallback=True))
    tokenizer.add_special_tokens(["<pad>", "<eos>", "<bos>", "<unk>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    said = {"tokenizer_class": "GemmaTokenizer", "pad_token": "<pad>", "eos_token": "<eos>"}
    _write(folder / "tokenizer_config.json", said)
    return len(vocab)


def _merges(pieces: list[str]) -> list[tuple[str, str]]:
    """The merges that build a word from the left."""
    pairs = []
    while len(pieces) > 1:
        pairs.append((pieces[0], pieces[1]))
        pieces = [pieces[0] + pieces[1], *pieces[2:]]
    return pairs


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
