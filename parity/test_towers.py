"""The vectors of both runtimes are those of transformers and open_clip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlx_clip import load_encoder
from mlx_clip.load import find_checkpoint
from parity.checkpoints import KINDS
from parity.reference import picture_vectors, text_vectors

RANDOM = np.random.default_rng(1)
PICTURES = [
    Image.fromarray(RANDOM.integers(0, 256, (high, wide, 3), np.uint8))
    for wide, high in ((64, 48), (40, 90), (32, 32), (200, 150), (47, 46))
]
TEXTS = ["a photo of the dog in snow", "Two RED cars!", "x", "bokeh, 50mm f/1.8 " * 20]

RUNTIMES = [("onnx", "float32"), ("mlx", "float32"), ("mlx", "float16")]


@pytest.fixture(scope="module", params=KINDS)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp(request.param)
    return folder, KINDS[request.param](folder)


@pytest.mark.parametrize(("runtime", "precision"), RUNTIMES, ids=" ".join)
def test_vectors_are_the_references(
    written: tuple[Path, Any], tmp_path: Path, runtime: str, precision: str
) -> None:
    folder, model = written
    encoder = load_encoder(str(folder), runtime=runtime, precision=precision, cache=tmp_path)
    tokenizer = find_checkpoint(str(folder)).tokenizer
    pixels = np.stack([encoder.preprocess(picture) for picture in PICTURES])
    close(encoder.encode_images(pixels), picture_vectors(model, folder, PICTURES), precision)
    close(
        encoder.encode_images(pixels[:1]), picture_vectors(model, folder, PICTURES[:1]), precision
    )
    close(encoder.encode_texts(TEXTS), text_vectors(model, tokenizer(TEXTS)), precision)
    close(encoder.encode_texts(TEXTS[:1]), text_vectors(model, tokenizer(TEXTS[:1])), precision)


def close(ours: Any, theirs: Any, precision: str) -> None:
    assert ours.shape == theirs.shape
    if precision == "float32":
        assert np.abs(ours - theirs).max() <= 1e-4
    else:
        assert (ours * theirs).sum(axis=1).min() >= 0.999
