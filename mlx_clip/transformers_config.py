"""A model's config and preprocessing as transformers writes them, nothing left to a default."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mlx_clip.config import Family, ModelConfig
from mlx_clip.preprocess import Preprocessing

Json = dict[str, Any]


def model_config(config: ModelConfig, dtype: str) -> Json:
    """config.json: that of a CLIPModel or a SiglipModel; `read_config` reads it."""
    text, vision = asdict(config.text), asdict(config.vision)
    if config.family == "clip":
        kind, architecture = "clip", "CLIPModel"
        text["projection_dim"] = vision["projection_dim"] = config.dim
        own = {"projection_dim": config.dim}
    else:
        kind, architecture = "siglip", "SiglipModel"
        text["projection_size"] = config.dim
        own = {}
    return {
        "architectures": [architecture],
        "model_type": kind,
        "dtype": dtype,
        **own,
        "text_config": {"model_type": f"{kind}_text_model", **text},
        "vision_config": {"model_type": f"{kind}_vision_model", **vision},
    }


def preprocessor_config(preprocessing: Preprocessing, family: Family) -> Json:
    """preprocessor_config.json; `read_preprocessing` reads it."""
    side, crop = preprocessing.size, preprocessing.fit == "crop"
    square = {"height": side, "width": side}
    said: Json = {
        "image_processor_type": "CLIPImageProcessor"
        if family == "clip"
        else "SiglipImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": side} if crop else square,
        "resample": int(preprocessing.resample),
        "do_center_crop": crop,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(preprocessing.mean),
        "image_std": list(preprocessing.std),
    }
    return said | ({"crop_size": square} if crop else {})
