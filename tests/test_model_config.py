"""Configs of checkpoints: sparse ones, old ones, open_clip's, those of models we do not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlx_clip.config import HIGHEST_ID, ModelConfig, TextConfig, VisionConfig, read_config
from mlx_clip.errors import ConfigError, UnsupportedModelError
from mlx_clip.tensors import parameters

OPENAI_B32 = ModelConfig(
    "clip",
    512,
    VisionConfig(768, 3072, 12, 12, "quick_gelu", 1e-5, 224, 32),
    TextConfig(512, 2048, 12, 8, "quick_gelu", 1e-5, 49408, 77, 49407),
)
SIGLIP_B16 = ModelConfig(
    "siglip",
    768,
    VisionConfig(768, 3072, 12, 12, "gelu_pytorch_tanh", 1e-6, 224, 16),
    TextConfig(768, 3072, 12, 12, "gelu_pytorch_tanh", 1e-6, 32000, 64, 49407),
)


def config_of(folder: Path, raw: object, name: str = "config.json") -> ModelConfig:
    (folder / name).write_text(json.dumps(raw), encoding="utf-8")
    return read_config(folder)


def open_clip(**said: Any) -> dict[str, Any]:
    """ViT-B/32 as open_clip's own config states it."""
    vision = {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32}
    text = {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12}
    model = {"embed_dim": 512, "vision_cfg": vision, "text_cfg": text}
    for key, value in said.items():
        tower, _, name = key.partition("__")
        (model[f"{tower}_cfg"] if name else model)[name or tower] = value  # type: ignore[index]
    return {"model_cfg": model, "preprocess_cfg": {}}


def test_a_config_of_a_type_alone_is_the_librarys_default(tmp_path: Path) -> None:
    assert config_of(tmp_path, {"model_type": "clip"}) == OPENAI_B32
    assert config_of(tmp_path, {"model_type": "siglip"}) == SIGLIP_B16


def test_what_a_sparse_config_states_is_put_over_the_defaults(tmp_path: Path) -> None:
    config = config_of(
        tmp_path,
        {
            "model_type": "clip",
            "text_config": {"hidden_act": "gelu", "eos_token_id": 2},
            "vision_config": {"hidden_act": "gelu", "patch_size": [16, 16]},
            "projection_dim": 640,
        },
    )
    assert (config.text.hidden_act, config.vision.hidden_act) == ("gelu", "gelu")
    assert (config.vision.patch_size, config.vision.hidden_size) == (16, 768)
    assert (config.dim, config.text.eos_token_id) == (640, HIGHEST_ID)


def test_old_configs_state_a_tower_twice_and_the_second_counts(tmp_path: Path) -> None:
    config = config_of(
        tmp_path,
        {
            "model_type": "clip",
            "vision_config": {"patch_size": 32, "hidden_size": 1536},
            "vision_config_dict": {"patch_size": 14},
            "text_config": None,
        },
    )
    assert (config.vision.patch_size, config.vision.hidden_size) == (14, 768)


def test_siglip_2_has_a_larger_vocabulary_and_nothing_else(tmp_path: Path) -> None:
    raw = {"model_type": "siglip", "text_config": {"vocab_size": 256000}}
    assert config_of(tmp_path, raw).text.vocab_size == 256000


def test_open_clips_config_of_b32(tmp_path: Path) -> None:
    config = config_of(tmp_path, open_clip(), "open_clip_config.json")
    assert config.vision == VisionConfig(768, 3072, 12, 12, "gelu", 1e-5, 224, 32)
    assert config.text == TextConfig(512, 2048, 12, 8, "gelu", 1e-5, 49408, 77, HIGHEST_ID)
    assert config.dim == 512


def test_open_clips_heads_and_activation(tmp_path: Path) -> None:
    raw = open_clip(quick_gelu=True, vision__width=1280, vision__head_width=80)
    config = config_of(tmp_path, raw, "open_clip_config.json")
    assert config.vision.num_attention_heads == 16
    assert config.vision.hidden_act == config.text.hidden_act == "quick_gelu"


def test_open_clips_config_counts_where_config_json_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    assert config_of(tmp_path, open_clip(), "open_clip_config.json").dim == 512


def test_the_size_of_a_model(tmp_path: Path) -> None:
    """What the paper calls 63M + 88M; the scale of the logits is not counted."""
    assert parameters(config_of(tmp_path, {"model_type": "clip"})) == 151_277_312


@pytest.mark.parametrize(
    "raw",
    [
        {"model_type": "siglip2"},
        {"model_type": "blip"},
        {"model_type": "siglip", "vision_config": {"vision_use_head": False}},
        {"model_type": "clip", "vision_config": {"image_size": [224, 448]}},
        {"model_type": "clip", "text_config": {"hidden_act": "relu"}},
        {"architectures": ["ResNet"]},
    ],
)
def test_unsupported_models_are_refused_with_what_is_supported(
    tmp_path: Path, raw: dict[str, Any]
) -> None:
    with pytest.raises(UnsupportedModelError, match=r"config\.json: .*SigLIP 2 of a fixed"):
        config_of(tmp_path, raw)


@pytest.mark.parametrize(
    "said",
    [
        {"vision__timm_model_name": "vit_base_patch16_siglip_224"},
        {"vision__layers": [3, 4, 6, 3]},
        {"vision__attentional_pool": True},
        {"text__hf_model_name": "xlm-roberta-base"},
        {"text__pool_type": "last"},
        {"text__no_causal_mask": True},
        {"multimodal_cfg": {}},
    ],
)
def test_unsupported_open_clip_models_are_refused(tmp_path: Path, said: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedModelError, match="Supported are CLIP"):
        config_of(tmp_path, open_clip(**said), "open_clip_config.json")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "\0",
        '{"model_type": "clip", "text_config": 3}',
        '{"model_type": "clip", "text_config": {"hidden_size": "wide"}}',
        '{"model_type": "clip", "text_config": {"hidden_size": 0}}',
        '{"model_type": "clip", "vision_config": {"num_attention_heads": 5}}',
        '{"model_type": "clip", "vision_config": {"patch_size": 512}}',
        '{"model_type": "siglip", "text_config": {"projection_size": 12}}',
    ],
)
def test_configs_that_make_no_sense_name_their_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config\.json"):
        read_config(tmp_path)


def test_a_folder_without_a_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no model"):
        read_config(tmp_path)
