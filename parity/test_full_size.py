"""ViT-B/32 at full size, from a config as sparse as those on the Hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers import CLIPConfig, CLIPModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from bench.corpora import twelve_megapixel_photos
from mlx_clip import Encoder, load_encoder
from mlx_clip.load import find_checkpoint
from mlx_clip.mlx_device import gpu
from parity.reference import picture_vectors, randomised, text_vectors
from parity.reference_tokenizers import open_clip_tokenizer
from tests.test_draft import LEAST_COSINE, drafted
from tests.texts import texts

# As laion/CLIP-ViT-B-32-laion2B-s34B-b79K states it, and no more.
SPARSE = {
    "model_type": "clip",
    "projection_dim": 512,
    "text_config": {"hidden_act": "gelu", "eos_token_id": 2},
    "vision_config": {"hidden_act": "gelu"},
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("ViT-B-32")
    model = randomised(CLIPModel(CLIPConfig(**SPARSE)))
    model.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(SPARSE), encoding="utf-8")
    CLIPImageProcessorPil().save_pretrained(folder)
    reference = open_clip_tokenizer()
    vocab = dict(reference.encoder)
    for ours in ("start", "end"):
        vocab[f"<|{ours}oftext|>"] = vocab.pop(f"<{ours}_of_text>")
    (folder / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    merges = sorted(reference.bpe_ranks, key=reference.bpe_ranks.__getitem__)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder, model


@pytest.fixture(scope="module")
def encoder(written: tuple[Path, Any], tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return load_encoder(str(written[0]), runtime="onnx", cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return sorted(twelve_megapixel_photos(tmp_path_factory.mktemp("p") / "photos", 4).iterdir())


def opened(paths: list[Path]) -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in paths]


def test_onnx_runtime_gives_the_references_vectors(
    written: tuple[Path, Any], encoder: Encoder, photos: list[Path]
) -> None:
    folder, model = written
    pictures = opened(photos)
    pixels = np.stack([encoder.preprocess(picture) for picture in pictures])
    theirs = picture_vectors(model, folder, pictures)
    assert np.abs(encoder.encode_images(pixels) - theirs).max() <= 1e-4
    sentences = [text for text in texts(40, seed=0) if text.strip()]
    ids = find_checkpoint(str(folder)).tokenizer(sentences)
    assert np.abs(encoder.encode_texts(sentences) - text_vectors(model, ids)).max() <= 1e-4


@pytest.mark.skipif(gpu() is None, reason="MLX is too slow on its CPU backend")
def test_mlx_gives_the_references_vectors(written: tuple[Path, Any], photos: list[Path]) -> None:
    folder, model = written
    pictures = opened(photos)
    theirs = picture_vectors(model, folder, pictures)
    for precision in ("float32", "float16"):
        encoder = load_encoder(str(folder), runtime="mlx", precision=precision)
        pixels = np.stack([encoder.preprocess(picture) for picture in pictures])
        cosines = (encoder.encode_images(pixels) * theirs).sum(axis=1)
        assert cosines.min() >= (0.9999 if precision == "float32" else 0.999)


def test_draft_decoding_does_not_move_a_vector(encoder: Encoder, photos: list[Path]) -> None:
    for path, whole in zip(photos, opened(photos), strict=True):
        few = drafted(path, 2 * encoder.image_size)
        both = encoder.encode_images(np.stack([encoder.preprocess(whole), encoder.preprocess(few)]))
        assert both[0] @ both[1] >= LEAST_COSINE
