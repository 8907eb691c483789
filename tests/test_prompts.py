"""Prompts: what a model is asked for some words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlx_clip import Encoder, InputError, load_encoder
from mlx_clip.templates import TEMPLATES
from search import prompts

CHECKPOINTS = Path(__file__).parent / "checkpoints"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return tiny("clip", tmp_path_factory)


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return tiny("siglip", tmp_path_factory)


def tiny(name: str, factory: pytest.TempPathFactory) -> Encoder:
    cache = factory.mktemp("models")
    return load_encoder(str(CHECKPOINTS / name), runtime="onnx", cache=cache)


@pytest.mark.parametrize("words", ["dog", "the dog", "A  dog", "dog "])
def test_clip_is_asked_with_several_sentences(clip: Encoder, words: str) -> None:
    mean = clip.encode_texts([template.format("dog") for template in TEMPLATES]).mean(0)
    found = prompts.embed(clip, words)
    assert np.allclose(found, mean / np.linalg.norm(mean), atol=1e-6)
    assert not np.allclose(found, clip.encode_texts([words])[0], atol=1e-3)


@pytest.mark.parametrize(
    "words",
    ["two dogs in the snow", "a photo of a dog", "dog, cat", "2 dogs", "{} dog", "IMG_20", "the"],
)
def test_what_is_no_name_is_asked_as_it_is(clip: Encoder, words: str) -> None:
    assert np.array_equal(prompts.embed(clip, words), clip.encode_texts([words])[0])


def test_other_models_are_asked_as_it_is(siglip: Encoder, encoder: Encoder) -> None:
    for model in (siglip, encoder):
        assert np.array_equal(prompts.embed(model, "dog"), model.encode_texts(["dog"])[0])


def test_nothing_is_refused_as_the_model_refuses_it(clip: Encoder) -> None:
    with pytest.raises(InputError):
        prompts.embed(clip, " ")


def test_families(clip: Encoder, siglip: Encoder, encoder: Encoder) -> None:
    assert [model.family for model in (clip, siglip, encoder)] == ["clip", "siglip", "other"]
