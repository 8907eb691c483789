"""What `convert` writes is read by transformers, and gives the vectors of the original there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers import AutoConfig, AutoImageProcessor, CLIPModel, SiglipModel

from mlx_clip.convert import convert
from mlx_clip.load import find_checkpoint
from parity.checkpoints import KINDS
from parity.reference import picture_vectors, text_vectors

RANDOM = np.random.default_rng(2)
PICTURES = [
    Image.fromarray(RANDOM.integers(0, 256, (high, wide, 3), np.uint8))
    for wide, high in ((64, 48), (40, 90), (32, 32))
]
TEXTS = ["a photo of the dog in snow", "Two RED cars!", "bokeh, 50mm f/1.8 " * 20]


@pytest.mark.parametrize("kind", KINDS)
def test_transformers_reads_it(kind: str, tmp_path: Path) -> None:
    original, out = tmp_path / kind, tmp_path / "out"
    original.mkdir()
    reference = KINDS[kind](original)
    checkpoint = find_checkpoint(str(original))
    convert(checkpoint, out, "float32")

    model = _load(out)
    assert AutoConfig.from_pretrained(out).architectures == [type(model).__name__]
    ids = checkpoint.tokenizer(TEXTS)
    of_pictures = picture_vectors(reference, original, PICTURES)
    assert np.abs(picture_vectors(model, out, PICTURES) - of_pictures).max() <= 1e-5
    assert np.abs(text_vectors(model, ids) - text_vectors(reference, ids)).max() <= 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_transformers_prepares_pictures_by_it(kind: str, tmp_path: Path) -> None:
    original, out = tmp_path / kind, tmp_path / "out"
    original.mkdir()
    KINDS[kind](original)
    checkpoint = find_checkpoint(str(original))
    convert(checkpoint, out, "float32")
    processor = AutoImageProcessor.from_pretrained(out, backend="pil")
    steps = checkpoint.preprocessing
    for picture in PICTURES:
        (theirs,) = processor(picture)["pixel_values"]
        ours = steps.normalise(steps(picture)[None])[0]
        assert np.abs(theirs - ours).max() <= 1e-5


def _load(folder: Path) -> Any:
    kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    model_class = {"clip": CLIPModel, "siglip": SiglipModel}[kind]
    model, report = model_class.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    return model.eval()
