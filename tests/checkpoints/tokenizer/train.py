"""Small tokenizers of the kinds that SigLIP and SigLIP 2 have, trained on what is at hand."""

from __future__ import annotations

import importlib
import io
import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import sentencepiece
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from tests.texts import texts

_GEMMA = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *(f"<unused{n}>" for n in range(3)))


def corpus() -> Iterator[str]:
    """Words in some scripts, digits, and English that repeats itself: the names of characters."""
    yield from (text for text in texts(6000, seed=1) if "<" not in text)  # no special tokens
    for point in range(0x3000):
        yield unicodedata.name(chr(point), "nothing").lower()
    for number in range(3000):
        yield f"photo {number * 977} of {2**number % 10**9} 00 000 aa aaa"


def sentencepiece_model(size: int, **flags: Any) -> bytes:
    """A spiece.model: a unigram model with the ids and settings of T5's and SigLIP's."""
    written = io.BytesIO()
    lines = [" ".join(line.split()) for line in corpus()]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=written,
        vocab_size=size,
        character_coverage=0.98,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        num_threads=1,
        minloglevel=2,
        **flags,
    )
    return written.getvalue()


def parsed(model: bytes) -> Any:
    """A spiece.model as its parts: pieces, trainer_spec, normalizer_spec."""
    # Not an import: it makes its classes as it is loaded, and a type checker sees none.
    proto = importlib.import_module("sentencepiece.sentencepiece_model_pb2")
    return proto.ModelProto.FromString(model)


def gemma(size: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges of a BPE like Gemma's: special tokens, bytes, then pieces."""
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Lowercase(), normalizers.Replace(" ", "▁")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.train_from_iterator(
        corpus(), BpeTrainer(vocab_size=size, limit_alphabet=300, show_progress=False)
    )
    model = json.loads(tokenizer.to_str())["model"]
    first = [*_GEMMA, *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces = sorted(model["vocab"], key=model["vocab"].get)
    vocab = {piece: id_ for id_, piece in enumerate([*first, *pieces])}
    return vocab, [(left, right) for left, right in model["merges"]]
