"""Texts to ids. tests/checkpoints/tokenizer has texts and the ids that their references give."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from mlx_clip.errors import (
    EmptyTextError,
    TextTooLongError,
    TokenizerError,
    UnsupportedModelError,
)
from mlx_clip.tokenizer import LONGEST_TEXT, TextTokenizer
from tests.tokenizer_folders import LAYOUTS, golden, load, unpack

STARTER = Path(__file__).parent.parent / "models" / "starter"
SOURCE = {
    "clip": "tokenizer.json",
    "clip-openai": "vocab.json",
    "siglip": "spiece.model",
    "siglip-library": "tokenizer.json",
    "siglip2": "tokenizer.json",
}
every_layout = pytest.mark.parametrize("layout", LAYOUTS)


@pytest.fixture
def folder(layout: str, tmp_path: Path) -> Path:
    return unpack(layout, tmp_path / "model")


def edit(path: Path, **changes: Any) -> None:
    """Change some keys of a file that holds a JSON object."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**content, **changes}), encoding="utf-8")


def assert_golden(tokenizer: TextTokenizer, layout: str) -> None:
    """The ids are the reference's: for CLIP up to the end token, which ends what the model sees."""
    texts, expected = golden(layout)
    ids, mask = tokenizer.encode(texts)
    if LAYOUTS[layout] == "clip":
        ids = ids * mask
    wrong = [text for text, a, b in zip(texts, ids, expected, strict=True) if list(a) != list(b)]
    assert not wrong


@every_layout
def test_ids_are_the_references(folder: Path, layout: str) -> None:
    assert_golden(load(folder, layout), layout)


@every_layout
def test_what_is_saved_gives_the_same_ids_without_the_checkpoint(
    folder: Path, layout: str, tmp_path: Path
) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    tokenizer = load(folder, layout)
    tokenizer.save(saved)
    config = json.loads(json.dumps(tokenizer.config()))
    assert [path.name for path in saved.iterdir()] == ["tokenizer.json"]
    assert_golden(TextTokenizer.from_config(saved / "tokenizer.json", config), layout)


@every_layout
def test_several_threads_get_the_same_ids(folder: Path, layout: str) -> None:
    tokenizer = load(folder, layout)
    texts = golden(layout)[0][:80]
    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(lambda _: tokenizer(texts), range(8))
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize("layout", ["clip"])
def test_clip_is_padded_to_the_longest_of_its_batch(folder: Path, layout: str) -> None:
    tokenizer = load(folder, layout)
    assert (tokenizer.length, tokenizer.fixed) == (77, False)
    ids, mask = tokenizer.encode(["a", "a cat"])
    assert ids.dtype == mask.dtype == np.int64
    start, end = 2512, 2513
    short, long = ids.tolist()
    assert long[0] == start and long[-1] == end
    assert short == [start, long[1], end, *[end] * (len(long) - 3)]
    assert mask.tolist() == [[1] * 3 + [0] * (len(long) - 3), [1] * len(long)]
    assert tokenizer([]).shape == (0, 0)


@pytest.mark.parametrize("layout", ["clip", "clip-openai"])
@pytest.mark.parametrize("place", ["tokenizer_config.json", "special_tokens_map.json"])
@pytest.mark.parametrize("said", ["!", {"content": "!", "lstrip": False}])
def test_padding_is_as_the_checkpoint_says(
    folder: Path, layout: str, place: str, said: Any
) -> None:
    (folder / "tokenizer_config.json").unlink(missing_ok=True)
    edit(folder / place, pad_token=said)
    assert load(folder, layout)(["a", "a cat"])[0, -1] == 0


@pytest.mark.parametrize("layout", ["siglip", "siglip2"])
def test_siglip_is_padded_to_its_length(folder: Path, layout: str) -> None:
    tokenizer = load(folder, layout)
    assert (tokenizer.length, tokenizer.fixed) == (64, True)
    ids, mask = tokenizer.encode(["a cat"])
    assert ids.shape == (1, 64)
    used = int(mask.sum())
    assert ids[0, used - 1] == 1
    assert set(ids[0, used:].tolist()) == {0 if layout == "siglip2" else 1}
    assert tokenizer([]).shape == (0, 64)


@every_layout
def test_what_is_cut_keeps_its_end_token(folder: Path, layout: str) -> None:
    tokenizer = load(folder, layout)
    ids = tokenizer(["cat dog " * 500])
    assert ids.shape == (1, tokenizer.length)
    assert ids[0, -1] == tokenizer(["!"])[0].max() if layout.startswith("clip") else 1


@pytest.mark.parametrize("layout", ["siglip"])
def test_an_end_token_in_the_text_is_the_end_token(folder: Path, layout: str) -> None:
    edit(folder / "tokenizer_config.json", pad_token="<pad>")
    ids = load(folder, layout)(["a cat", "a cat </s>", "a </s> cat"]).tolist()
    assert ids[0] == ids[1]
    assert [row.count(1) for row in ids] == [1, 1, 2]


@pytest.mark.parametrize("layout", ["siglip"])
def test_case_matters_where_the_checkpoint_says_so(folder: Path, layout: str) -> None:
    lower = load(folder, layout)
    edit(folder / "tokenizer_config.json", do_lower_case=False)
    cased = load(folder, layout)
    assert lower(["A Cat"]).tolist() == lower(["a cat"]).tolist() == cased(["a cat"]).tolist()
    assert cased(["A Cat"]).tolist() != cased(["a cat"]).tolist()


@pytest.mark.parametrize("layout", ["siglip-library", "siglip2"])
def test_siglip_1_and_2_are_told_apart_without_a_config(folder: Path, layout: str) -> None:
    (folder / "tokenizer_config.json").unlink()
    assert_golden(load(folder, layout), layout)


def test_the_starters_ids_are_its_tokenizers_own() -> None:
    library = Tokenizer.from_file(str(STARTER / "tokenizer.json"))
    library.enable_truncation(128)
    library.enable_padding()
    texts = golden("clip")[0][:500]
    expected = library.encode_batch(texts)
    config = json.loads((STARTER / "config.json").read_text(encoding="utf-8"))["text"]
    ids, mask = TextTokenizer.from_config(STARTER / "tokenizer.json", config).encode(texts)
    np.testing.assert_array_equal(ids, [encoding.ids for encoding in expected])
    np.testing.assert_array_equal(mask, [encoding.attention_mask for encoding in expected])


@every_layout
def test_a_text_needs_a_character_and_no_more(folder: Path, layout: str) -> None:
    tokenizer = load(folder, layout)
    for blank in ("", " ", "\t\n\u3000"):
        with pytest.raises(EmptyTextError, match="empty"):
            tokenizer(["a cat", blank])
    assert tokenizer(["...", "\x00", "\u200b"]).shape[0] == 3


@every_layout
def test_a_text_has_a_limit(folder: Path, layout: str) -> None:
    tokenizer = load(folder, layout)
    assert tokenizer(["x" * LONGEST_TEXT, "é " * (LONGEST_TEXT // 2)]).shape[0] == 2
    with pytest.raises(TextTooLongError, match=r"100,000 .* 20,000"):
        tokenizer(["x" * 100_000])


@every_layout
def test_halves_of_surrogate_pairs_are_replaced(folder: Path, layout: str) -> None:
    tokenizer = load(folder, layout)
    ids = tokenizer(["cat \ud83d dog", "cat \ud83d\ude00", "cat \ufffd dog", "cat \U0001f600"])
    assert ids[0].tolist() == ids[2].tolist()
    assert ids[1].tolist() == ids[3].tolist()


@every_layout
def test_a_missing_tokenizer_is_an_error_that_lists_what_was_looked_for(
    folder: Path, layout: str
) -> None:
    (folder / SOURCE[layout]).unlink()
    with pytest.raises(TokenizerError, match=r"looked for tokenizer\.json") as caught:
        load(folder, layout)
    assert str(folder) in str(caught.value)
    assert ("vocab.json with merges.txt" in str(caught.value)) == layout.startswith("clip")
    assert ("spiece.model" in str(caught.value)) == (LAYOUTS[layout] == "siglip")


@every_layout
@pytest.mark.parametrize("share", [0, 0.02, 0.5, 0.98])
def test_a_file_that_is_cut_off_is_an_error_that_names_it(
    folder: Path, layout: str, share: float
) -> None:
    path = folder / SOURCE[layout]
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises((TokenizerError, UnsupportedModelError), match=str(path)):
        load(folder, layout)


@pytest.mark.parametrize(
    ("layout", "name", "content"),
    [
        ("clip", "tokenizer.json", "[]"),
        ("clip", "tokenizer.json", "{}"),
        ("clip", "tokenizer_config.json", "{"),
        ("clip", "tokenizer_config.json", '{"pad_token": "<none>"}'),
        ("clip-openai", "vocab.json", "{}"),
        ("clip-openai", "vocab.json", '{"<|startoftext|>": 0, "<|endoftext|>": "one"}'),
        ("clip-openai", "merges.txt", "#version: 0.2\na b c\n"),
        ("clip-openai", "merges.txt", "#version: 0.2\nno such\n"),
        ("siglip", "tokenizer_config.json", '{"pad_token": "<none>"}'),
        ("siglip2", "tokenizer_config.json", '{"eos_token": "<none>"}'),
    ],
)
def test_a_file_that_makes_no_sense_is_an_error(
    folder: Path, layout: str, name: str, content: str
) -> None:
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(TokenizerError, match=str(folder)):
        load(folder, layout)


@pytest.mark.parametrize(
    ("layout", "family"),
    [("siglip-library", "clip"), ("siglip2", "clip"), ("clip", "siglip"), ("siglip2", "siglip")],
)
def test_a_tokenizer_of_another_kind_is_refused(folder: Path, layout: str, family: str) -> None:
    if layout == "siglip2":
        edit(folder / "tokenizer_config.json", tokenizer_class="SiglipTokenizer")
    with pytest.raises(UnsupportedModelError, match=str(folder)):
        load(folder, family)


@every_layout
def test_ids_that_the_model_lacks_are_an_error(folder: Path, layout: str) -> None:
    size = {"clip": 2514, "siglip": 1500, "siglip2": 1764}[LAYOUTS[layout]]
    load(folder, layout, vocab_size=size)
    with pytest.raises(TokenizerError, match=f"{size - 1}.*below {size - 1}"):
        load(folder, layout, vocab_size=size - 1)


@pytest.mark.parametrize("layout", ["siglip-library"])
def test_a_model_need_not_have_t5s_sentinels(folder: Path, layout: str) -> None:
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    content["model"]["vocab"] += [["<extra_id_0>", -20.0], ["▁<extra_id_1>", -20.0]]
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    load(folder, layout, vocab_size=1500)


@pytest.mark.parametrize("layout", ["siglip-library"])
def test_special_tokens_are_such_without_being_listed(folder: Path, layout: str) -> None:
    listed = load(folder, layout)(["a </s> cat"])
    edit(folder / "tokenizer.json", added_tokens=[])
    assert load(folder, layout)(["a </s> cat"]).tolist() == listed.tolist()


@pytest.mark.parametrize("layout", ["siglip-library"])
@pytest.mark.parametrize("change", [{"unk_id": None}, {"byte_fallback": True}])
def test_a_model_that_lacks_what_it_names_is_an_error(
    folder: Path, layout: str, change: dict[str, Any]
) -> None:
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    edit(folder / "tokenizer.json", model={**content["model"], **change})
    with pytest.raises(TokenizerError, match=str(folder)):
        load(folder, layout)


@pytest.mark.parametrize("layout", ["siglip"])
@pytest.mark.parametrize(
    "change", [{"length": "long"}, {"clean": "thoroughly"}, {"pad_id": 1400}, {"length": None}]
)
def test_a_config_that_does_not_fit_is_an_error(
    folder: Path, layout: str, change: dict[str, Any]
) -> None:
    tokenizer = load(folder, layout)
    tokenizer.save(folder)
    with pytest.raises(TokenizerError, match=r"tokenizer\.json"):
        TextTokenizer.from_config(folder / "tokenizer.json", {**tokenizer.config(), **change})


def test_cleaning_libraries_are_loaded_by_those_who_need_them() -> None:
    script = "import sys, mlx_clip.tokenizer; print({'ftfy', 'sentencepiece'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "set()"
