"""Pictures become the very pixels that transformers' image processors make of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from mlx_clip.config import read_config
from mlx_clip.preprocess import Preprocessing, read_preprocessing

RANDOM = np.random.default_rng(0)
SHAPES = [(224, 224), (1, 1), (225, 223), (1200, 800), (333, 1000), (90, 60), (1791, 224)]
SHAPES += [(int(w), int(h)) for w, h in RANDOM.integers(30, 240, (80, 2))]


def noise(shape: tuple[int, int]) -> Image.Image:
    """Every pixel another: what is shifted by one shows."""
    return Image.fromarray(RANDOM.integers(0, 256, (shape[1], shape[0], 3), np.uint8))


def ours(folder: Path, model_type: str, processor: Any) -> Preprocessing:
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}), encoding="utf-8")
    if processor is not None:
        processor.save_pretrained(folder)
    return read_preprocessing(folder, read_config(folder))


@pytest.mark.parametrize("saved", [True, False], ids=["from its file", "by default"])
@pytest.mark.parametrize(
    ("model_type", "kind"), [("clip", CLIPImageProcessorPil), ("siglip", SiglipImageProcessorPil)]
)
def test_pixels_are_those_of_transformers(
    tmp_path: Path, model_type: str, kind: Any, saved: bool
) -> None:
    theirs = kind()
    preprocessing = ours(tmp_path, model_type, theirs if saved else None)
    for shape in SHAPES:
        picture = noise(shape)
        raw = theirs(picture, do_rescale=False, do_normalize=False)["pixel_values"][0]
        np.testing.assert_array_equal(preprocessing(picture), raw.transpose(1, 2, 0), str(shape))
        values = theirs(picture)["pixel_values"][0]
        normalised = preprocessing.normalise(preprocessing(picture)[None])[0]
        np.testing.assert_allclose(normalised, values, atol=1e-5)


@pytest.mark.parametrize("resample", [2, 3])
def test_siglip_2_states_another_filter(tmp_path: Path, resample: int) -> None:
    theirs = SiglipImageProcessorPil(resample=resample, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    preprocessing = ours(tmp_path, "siglip", theirs)
    picture = noise((300, 200))
    raw = theirs(picture, do_rescale=False, do_normalize=False)["pixel_values"][0]
    np.testing.assert_array_equal(preprocessing(picture), raw.transpose(1, 2, 0))
