"""mlx_clip/README.md: its examples run, and its table of models says what their configs say."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from mlx_clip import tensors
from mlx_clip.config import ModelConfig, read_config

ROOT = Path(__file__).parent.parent
README = (ROOT / "mlx_clip" / "README.md").read_text(encoding="utf-8")


def tower(width: int, hidden: int, layers: int, heads: int) -> dict[str, Any]:
    return {
        "hidden_size": width,
        "intermediate_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
    }


B, L = tower(768, 3072, 12, 12), tower(1024, 4096, 24, 16)
H, G = tower(1280, 5120, 32, 16), tower(1536, 6144, 40, 16)
SO400M = tower(1152, 4304, 27, 16)


def clip(
    vision: dict[str, Any], patch: int, text: dict[str, Any], dim: int, side: int = 224
) -> dict[str, Any]:
    seen = {**vision, "patch_size": patch, "image_size": side}
    return {"model_type": "clip", "projection_dim": dim, "vision_config": seen, "text_config": text}


def siglip(
    vision: dict[str, Any], patch: int, side: int, *, words: int = 32_000, **text: Any
) -> dict[str, Any]:
    seen = {**vision, "patch_size": patch, "image_size": side}
    towers = {"vision_config": seen, "text_config": {**vision, "vocab_size": words, **text}}
    return {"model_type": "siglip", **towers}


CLIP_B_32 = clip(B, 32, tower(512, 2048, 12, 8), 512)
CLIP_B_16 = clip(B, 16, tower(512, 2048, 12, 8), 512)
CLIP_L_14 = clip(L, 14, B, 768)
GEMMA = 256_000

# As their authors published them: open_clip's model_configs, and for SigLIP the configs that
# transformers' convert_siglip_to_hf.py writes.
CONFIGS = {
    "openai/clip-vit-base-patch32": CLIP_B_32,
    "openai/clip-vit-base-patch16": CLIP_B_16,
    "openai/clip-vit-large-patch14": CLIP_L_14,
    "openai/clip-vit-large-patch14-336": clip(L, 14, B, 768, 336),
    "laion/CLIP-ViT-B-32-laion2B-s34B-b79K": CLIP_B_32,
    "laion/CLIP-ViT-H-14-laion2B-s32B-b79K": clip(H, 14, L, 1024),
    "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K": CLIP_B_32,
    "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K": CLIP_B_16,
    "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K": CLIP_L_14,
    "google/siglip-base-patch16-224": siglip(B, 16, 224),
    "google/siglip-base-patch16-256": siglip(B, 16, 256),
    "google/siglip-base-patch16-384": siglip(B, 16, 384),
    "google/siglip-large-patch16-256": siglip(L, 16, 256),
    "google/siglip-so400m-patch14-384": siglip(SO400M, 14, 384),
    "google/siglip2-base-patch32-256": siglip(B, 32, 256, words=GEMMA),
    "google/siglip2-base-patch16-224": siglip(B, 16, 224, words=GEMMA),
    "google/siglip2-large-patch16-256": siglip(L, 16, 256, words=GEMMA),
    "google/siglip2-so400m-patch14-384": siglip(SO400M, 14, 384, words=GEMMA),
    "google/siglip2-giant-opt-patch16-256": siglip(
        G, 16, 256, words=GEMMA, **SO400M, projection_size=1536
    ),
}
ROWS = {
    name: cells.split(" | ")
    for name, cells in re.findall(r"^\| `(\w+/[\w.-]+)` \| (.+) \|$", README, re.MULTILINE)
}


def example(start: str) -> str:
    """The example that begins with a line, with the starter model and pictures that are there."""
    (block,) = re.findall(rf"^    {start}\n(?:    .*\n|\n)+", README, re.MULTILINE)
    code = textwrap.dedent(block)
    for name, here in (("dog", "beagle.png"), ("cat", "siamese-cat.png")):
        code = code.replace(f'"{name}.jpg"', repr(str(ROOT / "samples" / "animals" / here)))
    return code.replace("openai/clip-vit-base-patch32", "starter")


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(example("import numpy as np"), {})
    (dog, not_cat), (not_dog, cat) = (
        map(float, row) for row in re.findall(r"([-\d.]+) +([-\d.]+)", capsys.readouterr().out)
    )
    assert min(dog, cat) > max(not_cat, not_dog)


def test_the_interface_of_the_original_gives_lists_of_floats() -> None:
    names: dict[str, Any] = {}
    exec(example("from mlx_clip import mlx_clip"), names)
    for vector in (
        names["clip"].image_encoder(ROOT / "samples" / "animals" / "beagle.png"),
        names["clip"].text_encoder("a dog"),
    ):
        assert len(vector) == 576
        assert {type(value) for value in vector} == {float}


def read(raw: dict[str, Any], folder: Path) -> ModelConfig:
    (folder / "config.json").write_text(json.dumps(raw), encoding="utf-8")
    return read_config(folder)


def test_every_row_is_checked_here() -> None:
    assert list(ROWS) == list(CONFIGS)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_row_says_what_the_models_config_says(name: str, tmp_path: Path) -> None:
    config = read(CONFIGS[name], tmp_path)
    parameters = tensors.parameters(config)
    assert ROWS[name][:4] == [
        f"{parameters / 1e6:.1f} M",
        f"{4 * parameters / 1e9:.2f} GB",
        str(config.vision.image_size),
        str(config.dim),
    ]


@pytest.mark.parametrize("name", CONFIGS)
def test_an_accuracy_says_where_it_is_from(name: str) -> None:
    accuracy = re.fullmatch(r"(\d\d\.\d) \[(\d)\]", ROWS[name][4])
    assert accuracy
    assert re.search(rf"^{accuracy[2]}\. .*", README, re.MULTILINE)


def test_parameters_are_those_that_open_clip_counts(tmp_path: Path) -> None:
    """Its docs/openclip_results.csv, in millions, with the one or two that only training needs."""
    counted = {
        "openai/clip-vit-base-patch32": 151.28,
        "openai/clip-vit-large-patch14-336": 427.94,
        "laion/CLIP-ViT-H-14-laion2B-s32B-b79K": 986.11,
        "google/siglip-base-patch16-224": 203.16,
        "google/siglip-large-patch16-256": 652.15,
        "google/siglip-so400m-patch14-384": 877.96,
    }
    for name, millions in counted.items():
        parameters = tensors.parameters(read(CONFIGS[name], tmp_path))
        assert parameters / 1e6 == pytest.approx(millions, abs=0.006)


@pytest.mark.parametrize("command", ["embed", "info", "convert", "zeroshot", "selftest"])
def test_every_command_stands_in_the_readme(command: str) -> None:
    assert f"python -m mlx_clip {command} " in README
