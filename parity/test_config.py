"""Sparse configs mean what transformers takes them for."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from transformers import CLIPConfig, SiglipConfig

from mlx_clip.config import read_config

CONFIGS: list[dict[str, Any]] = [
    {"model_type": "clip"},
    {"model_type": "siglip"},
    {"model_type": "clip", "text_config": {"hidden_act": "gelu"}},
    {"model_type": "clip", "vision_config": {"hidden_act": "gelu", "patch_size": 16}},
    {"model_type": "clip", "projection_dim": 768, "vision_config": {"hidden_size": 1024,
     "intermediate_size": 4096, "num_attention_heads": 16, "num_hidden_layers": 24}},
    {"model_type": "clip", "vision_config": {"hidden_size": 1536},
     "vision_config_dict": {"patch_size": 14}, "text_config_dict": {"eos_token_id": 2}},
    {"model_type": "clip", "text_config_dict": None, "text_config": {"eos_token_id": 2}},
    {"model_type": "siglip", "text_config": {"vocab_size": 256000}},
    {"model_type": "siglip", "vision_config": {"image_size": 384, "patch_size": 14}},
]  # fmt: skip


@pytest.mark.parametrize("raw", CONFIGS, ids=json.dumps)
def test_a_sparse_config_is_read_as_transformers_reads_it(
    tmp_path: Path, raw: dict[str, Any]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(raw), encoding="utf-8")
    ours = read_config(tmp_path)
    theirs = (CLIPConfig if raw["model_type"] == "clip" else SiglipConfig).from_pretrained(tmp_path)
    for tower, reference in ((ours.text, theirs.text_config), (ours.vision, theirs.vision_config)):
        for name, value in asdict(tower).items():
            assert value == getattr(reference, name), name
    if ours.family == "clip":
        assert ours.dim == theirs.projection_dim
    else:
        assert ours.dim == theirs.text_config.projection_size
