"""The starter model behind the Encoder protocol."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from library import photos
from mlx_clip import (
    Encoder,
    HubError,
    ModelBrokenError,
    ModelNotFoundError,
    Pixels,
    UnsupportedModelError,
    load_encoder,
)
from tests.pictures import drawing

ROOT = Path(__file__).parent.parent
STARTER = ROOT / "models" / "starter"


def pixels(encoder: Encoder, *images: Image.Image) -> Pixels:
    return np.stack([encoder.preprocess(image) for image in images])


def test_vectors_are_unit_float32_of_the_stated_length(encoder: Encoder) -> None:
    images = encoder.encode_images(pixels(encoder, *(drawing(seed) for seed in range(6))))
    texts = encoder.encode_texts(["a dog", ".", "x " * 1000])
    for vectors, count in ((images, 6), (texts, 3)):
        assert vectors.shape == (count, encoder.dim)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_nothing_gives_nothing(encoder: Encoder) -> None:
    assert encoder.encode_texts([]).shape == (0, encoder.dim)
    size = encoder.image_size
    empty = np.empty((0, size, size, 3), np.uint8)
    assert encoder.encode_images(empty).shape == (0, encoder.dim)


def test_a_vector_does_not_depend_on_its_batch(encoder: Encoder) -> None:
    batch = pixels(encoder, *(drawing(seed) for seed in range(7)))
    together = encoder.encode_images(batch)
    alone = np.concatenate([encoder.encode_images(one[None]) for one in batch])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    texts = ["a dog", "a very long sentence about a small white dog on a beach in the evening"]
    both = encoder.encode_texts(texts)
    np.testing.assert_allclose(both[0], encoder.encode_texts(texts[:1])[0], atol=1e-5)


@pytest.mark.parametrize(("word", "folder"), [("dog", "animals"), ("guitar", "music")])
def test_a_word_is_nearest_to_its_pictures(encoder: Encoder, word: str, folder: str) -> None:
    samples = ROOT / "samples"
    found = sorted([*samples.glob("animals/*.jpg"), *samples.glob("music/*.png")])
    least = encoder.image_size
    images = []
    for path in found:
        with path.open("rb") as stream:
            images.append(photos.decode(photos.read_header(stream, least, 50), least, 0).image)
    scores = encoder.encode_images(pixels(encoder, *images)) @ encoder.encode_texts([word])[0]
    best = [found[row] for row in np.argsort(-scores)[:2]]
    assert [path.parent.name for path in best] == [folder] * 2


@pytest.mark.parametrize("shape", [(640, 480), (300, 900), (260, 260), (1999, 700)])
def test_preprocessing_is_the_recipes(encoder: Encoder, shape: tuple[int, int]) -> None:
    """models/starter/MODEL_CARD.md: pad to a centred white square, bicubic to 260."""
    image = drawing(3, shape)
    square = Image.new("RGB", (max(shape), max(shape)), (255, 255, 255))
    square.paste(image, ((max(shape) - shape[0]) // 2, (max(shape) - shape[1]) // 2))
    recipe = np.asarray(square.resize((260, 260), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(encoder.preprocess(image), recipe)


@pytest.mark.parametrize("size", [(1, 1), (20_000, 1), (1, 20_000)])
def test_odd_shapes_have_vectors(encoder: Encoder, size: tuple[int, int]) -> None:
    (vector,) = encoder.encode_images(pixels(encoder, Image.new("RGB", size, (200, 30, 30))))
    assert np.isfinite(vector).all()


def test_the_space_names_model_revision_and_preprocessing(tmp_path: Path) -> None:
    first = load_encoder("starter").space
    assert first == load_encoder(str(STARTER)).space
    assert first.startswith("starter-lite2-minilm@")
    copy = tmp_path / "model"
    shutil.copytree(STARTER, copy)
    tokenizer = json.loads((copy / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["model"]["unk_token"] = "[UNK]"
    (copy / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    assert load_encoder(str(copy)).space != first


def test_an_unknown_name_says_what_can_be_used() -> None:
    with pytest.raises(ModelNotFoundError, match="starter"):
        load_encoder("clip-vit-base-patch32")


def test_a_model_of_the_hub_without_a_hub_says_what_can_be_used() -> None:
    with pytest.raises(HubError, match="CLIP_MODEL=starter"):
        load_encoder("openai/clip-vit-base-patch32")


def test_an_incomplete_folder_names_what_is_missing(tmp_path: Path) -> None:
    shutil.copy(STARTER / "config.json", tmp_path)
    with pytest.raises(UnsupportedModelError, match="no model_type"):
        load_encoder(str(tmp_path))
    shutil.copy(STARTER / "image.onnx", tmp_path)
    with pytest.raises(ModelNotFoundError, match=r"text\.onnx, tokenizer\.json missing"):
        load_encoder(str(tmp_path))


@pytest.mark.parametrize("name", ["config.json", "image.onnx", "text.onnx", "tokenizer.json"])
def test_a_damaged_file_is_an_error_that_names_the_folder(tmp_path: Path, name: str) -> None:
    copy = tmp_path / "model"
    shutil.copytree(STARTER, copy)
    (copy / name).write_bytes((copy / name).read_bytes()[:200])
    with pytest.raises(ModelBrokenError, match=str(copy)):
        encoder = load_encoder(str(copy))
        encoder.encode_texts(["a dog"])
        encoder.encode_images(pixels(encoder, drawing(1)))
