"""SentencePiece's models, read and applied as SentencePiece applies them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sentencepiece import SentencePieceNormalizer, SentencePieceProcessor
from tokenizers import Tokenizer

from mlx_clip.charsmap import Charsmap
from mlx_clip.errors import TokenizerError, UnsupportedModelError
from mlx_clip.sentencepiece import read_sentencepiece
from mlx_clip.siglip_text import read_unigram
from tests.checkpoints.tokenizer.train import parsed, sentencepiece_model
from tests.texts import texts
from tests.tokenizer_folders import unpack

TEXTS = texts(3000, seed=3)


@pytest.fixture(scope="module")
def with_bytes() -> bytes:
    """A model that spells what it does not know, with all of SentencePiece's table."""
    return sentencepiece_model(
        1500,
        byte_fallback=True,
        normalization_rule_name="nmt_nfkc",
        input_sentence_size=3000,
        num_sub_iterations=1,
    )


def converted(model: bytes, folder: Path) -> Tokenizer:
    path = folder / "spiece.model"
    path.write_bytes(model)
    return read_sentencepiece(path)


@pytest.mark.parametrize("fallback", [True, False], ids=["bytes", "unknown"])
def test_segments_are_sentencepieces(with_bytes: bytes, tmp_path: Path, fallback: bool) -> None:
    golden = (unpack("siglip", tmp_path / "golden") / "spiece.model").read_bytes()
    model = with_bytes if fallback else golden
    unigram = read_unigram(converted(model, tmp_path))
    reference = SentencePieceProcessor(model_proto=model)
    lines = ["a " + " ".join(text.split()) for text in TEXTS]
    pairs = {line: (unigram("▁" + line), reference.encode(line)) for line in lines}
    # Its versions before 0.2.2 settle ties in another order; test_tokenizer.py has the one wanted.
    assert [line for line, (ours, its) in pairs.items() if sorted(ours) != sorted(its)] == []


def test_characters_become_what_sentencepiece_makes_of_them(with_bytes: bytes) -> None:
    charsmap = Charsmap(parsed(with_bytes).normalizer_spec.precompiled_charsmap)
    reference = SentencePieceNormalizer(
        model_proto=with_bytes,
        add_dummy_prefix=False,
        escape_whitespaces=False,
        remove_extra_whitespaces=False,
    )
    assert [text for text in TEXTS if charsmap(text) != reference.normalize(text)] == []
    assert charsmap("ﾊﾟ x\u0301 ㈱") == "パ x\u0301 (株)"
    assert Charsmap(b"")("ﾊﾟ") == "ﾊﾟ"


@pytest.mark.parametrize("size", [3, 4, 5, 400])
def test_a_table_that_is_cut_off_is_an_error(with_bytes: bytes, size: int) -> None:
    table = parsed(with_bytes).normalizer_spec.precompiled_charsmap
    with pytest.raises(TokenizerError, match="cut off"):
        Charsmap(table[:size])


def test_only_unigram_models_are_read(tmp_path: Path) -> None:
    model = sentencepiece_model(1500, model_type="bpe", input_sentence_size=3000)
    with pytest.raises(UnsupportedModelError, match="unigram"):
        converted(model, tmp_path)
