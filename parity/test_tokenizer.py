"""The ids are the references', over thousands of texts of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import CLIPTokenizer, GemmaTokenizer, Siglip2Tokenizer, T5Tokenizer

from mlx_clip.tokenizer import load_tokenizer
from parity import reference_tokenizers as reference
from tests.checkpoints.tokenizer.train import gemma, sentencepiece_model
from tests.texts import texts

TEXTS = texts(6000, seed=20)
# Only open_clip's takes these.
HALF_PAIRS = ["\ud83d", "a \ud83d\ude00 b", "\ude00\ud83d", "cafÃ© \udcff"]


@cache
def model(byte_fallback: bool) -> bytes:
    """A unigram model with SentencePiece's usual table of characters, which T5's have."""
    return sentencepiece_model(
        2000, byte_fallback=byte_fallback, normalization_rule_name="nmt_nfkc"
    )


def assert_same(ours: Any, theirs: Any, given: Sequence[str]) -> None:
    assert len(ours) == len(theirs) == len(given)
    differ = [text for text, a, b in zip(given, ours, theirs, strict=True) if list(a) != list(b)]
    assert not differ


@pytest.mark.parametrize("layout", ["vocab.json", "tokenizer.json"])
def test_clips_ids_are_open_clips(tmp_path: Path, layout: str) -> None:
    tokenizer = reference.open_clip_tokenizer()
    reference.write_openai(tokenizer, tmp_path)
    if layout == "tokenizer.json":
        library = CLIPTokenizer.from_pretrained(tmp_path)
        for path in tmp_path.iterdir():
            path.unlink()
        library.save_pretrained(tmp_path)
    ours = load_tokenizer(tmp_path, "clip", length=77, vocab_size=49408)
    given = [*TEXTS, *HALF_PAIRS]
    ids, mask = ours.encode(given)
    assert_same(ids * mask, tokenizer(given).numpy(), given)


@pytest.mark.parametrize("byte_fallback", [False, True], ids=["unknown", "bytes"])
@pytest.mark.parametrize("lower", [True, False], ids=["lower", "cased"])
def test_siglips_ids_are_transformers(tmp_path: Path, byte_fallback: bool, lower: bool) -> None:
    (tmp_path / "spiece.model").write_bytes(model(byte_fallback))
    settings = {**reference.SIGLIP, "do_lower_case": lower}
    expected = reference.siglip_tokenizer(tmp_path, settings)(TEXTS)
    ours = load_tokenizer(tmp_path, "siglip", length=64, vocab_size=2000)
    assert_same(ours(TEXTS), expected, TEXTS)


def test_siglips_ids_from_what_transformers_makes_of_it(tmp_path: Path) -> None:
    (tmp_path / "spiece.model").write_bytes(model(False))
    T5Tokenizer.from_pretrained(tmp_path, extra_ids=0, pad_token="</s>").save_pretrained(
        tmp_path / "library"
    )
    expected = reference.siglip_tokenizer(tmp_path)(TEXTS)
    ours = load_tokenizer(tmp_path / "library", "siglip", length=64, vocab_size=2000)
    assert_same(ours(TEXTS), expected, TEXTS)


@pytest.mark.parametrize("saved_as", [Siglip2Tokenizer, GemmaTokenizer])
def test_siglip2s_ids_are_transformers(tmp_path: Path, saved_as: Any) -> None:
    trained = gemma(3000)
    saved_as(*trained, **reference.SIGLIP2).save_pretrained(tmp_path)
    expected = reference.padded(Siglip2Tokenizer(*trained, **reference.SIGLIP2))(TEXTS)
    ours = load_tokenizer(tmp_path, "siglip", length=64, vocab_size=len(trained[0]))
    assert_same(ours(TEXTS), expected, TEXTS)
    assert np.unique(expected).size > 1000
