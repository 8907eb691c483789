"""Preprocessing of checkpoints: what their files may say, and pictures of odd shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlx_clip.config import read_config
from mlx_clip.errors import ConfigError, UnsupportedModelError
from mlx_clip.preprocess import Preprocessing, read_preprocessing
from tests.pictures import drawing

CLIP = Preprocessing(224, "crop", Image.Resampling.BICUBIC, (0.5,) * 3, (0.5,) * 3)
OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)


def preprocessing(folder: Path, raw: Any, name: str, model_type: str = "clip") -> Preprocessing:
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}), encoding="utf-8")
    (folder / name).write_text(json.dumps(raw), encoding="utf-8")
    return read_preprocessing(folder, read_config(folder))


def test_the_old_layout_of_openais_models(tmp_path: Path) -> None:
    raw = {
        "crop_size": 224,
        "do_center_crop": True,
        "do_normalize": True,
        "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor",
        "image_mean": OPENAI_MEAN,
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "resample": 3,
        "size": 224,
    }
    found = preprocessing(tmp_path, raw, "preprocessor_config.json")
    assert (found.size, found.fit, found.resample, found.mean) == (224, "crop", 3, OPENAI_MEAN)


def test_the_new_layout_in_a_processor_config(tmp_path: Path) -> None:
    raw = {"image_processor": {"image_mean": [0.1, 0.2, 0.3], "size": {"shortest_edge": 224}}}
    assert preprocessing(tmp_path, raw, "processor_config.json").mean == (0.1, 0.2, 0.3)


def test_siglip_is_stretched(tmp_path: Path) -> None:
    raw = {"size": {"height": 224, "width": 224}, "resample": 2, "do_convert_rgb": None}
    found = preprocessing(tmp_path, raw, "preprocessor_config.json", "siglip")
    assert (found.fit, found.resample, found.mean) == ("stretch", 2, (0.5, 0.5, 0.5))


def test_open_clips_own_words(tmp_path: Path) -> None:
    raw = {
        "model_cfg": {"embed_dim": 512, "vision_cfg": {"image_size": 256}, "text_cfg": {}},
        "preprocess_cfg": {"mean": [0, 0, 0], "interpolation": "bilinear", "resize_mode": "squash"},
    }
    (tmp_path / "open_clip_config.json").write_text(json.dumps(raw), encoding="utf-8")
    found = read_preprocessing(tmp_path, read_config(tmp_path))
    assert (found.size, found.fit, found.resample, found.mean) == (256, "stretch", 2, (0, 0, 0))


@pytest.mark.parametrize(
    "raw",
    [{"size": 256}, {"size": {"shortest_edge": 248}}, {"do_resize": False}],
)
def test_what_is_not_done_here_is_refused(tmp_path: Path, raw: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedModelError, match=r"preprocessor_config\.json"):
        preprocessing(tmp_path, raw, "preprocessor_config.json")


@pytest.mark.parametrize(
    "raw", [{"image_mean": [1, 2]}, {"image_std": "wide"}, {"resample": "smooth"}, {"size": "big"}]
)
def test_what_makes_no_sense_names_its_file(tmp_path: Path, raw: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"preprocessor_config\.json makes no sense"):
        preprocessing(tmp_path, raw, "preprocessor_config.json")


def test_a_model_folder_gives_back_its_preprocessing() -> None:
    assert Preprocessing.from_json(json.loads(json.dumps(CLIP.as_json()))) == CLIP


@pytest.mark.parametrize("shape", [(640, 480), (480, 640), (225, 224)])
def test_the_short_side_fits_and_the_middle_is_cut_out(shape: tuple[int, int]) -> None:
    picture = drawing(5, shape)
    scale = 224 / min(shape)
    scaled = picture.resize(
        (int(shape[0] * scale), int(shape[1] * scale)), Image.Resampling.BICUBIC
    )
    left, top = (scaled.width - 224) // 2, (scaled.height - 224) // 2
    cut = scaled.crop((left, top, left + 224, top + 224))
    np.testing.assert_array_equal(CLIP(picture), np.asarray(cut))


@pytest.mark.parametrize("shape", [(4480, 224), (224, 4480), (3000, 200)])
def test_the_crop_of_a_panorama_is_its_middle(shape: tuple[int, int]) -> None:
    """As if the whole panorama had been scaled, without the memory that takes."""
    picture = drawing(6, shape)
    scale = 224 / min(shape)
    scaled = picture.resize(
        (int(shape[0] * scale), int(shape[1] * scale)), Image.Resampling.BICUBIC
    )
    left, top = (scaled.width - 224) // 2, (scaled.height - 224) // 2
    cut = np.asarray(scaled.crop((left, top, left + 224, top + 224)), np.int16)
    assert np.abs(CLIP(picture) - cut).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (20_000, 1), (1, 20_000)])
@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_odd_shapes_become_the_models_square(shape: tuple[int, int], fit: Any) -> None:
    steps = Preprocessing(224, fit, Image.Resampling.BICUBIC, (0.5,) * 3, (0.5,) * 3)
    pixels = steps(Image.new("RGB", shape, (200, 30, 30)))
    assert pixels.shape == (224, 224, 3)
    assert pixels.dtype == np.uint8
