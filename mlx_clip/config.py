"""What a checkpoint's config says of its two towers, with the defaults that its library has.

The configs on the Hub are sparse: a missing key means the default of transformers' config class
(CLIPTextConfig, CLIPVisionConfig, SiglipTextConfig, SiglipVisionConfig; version 5.23), or of
open_clip's CLIPVisionCfg and CLIPTextCfg (version 3.3). Those defaults are carried here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from mlx_clip.errors import ConfigError, UnsupportedModelError

Family = Literal["clip", "siglip"]

SUPPORTED = (
    "Supported are CLIP with a vision transformer (openai/clip-vit-base-patch32, the LAION and "
    "DataComp models of that shape), SigLIP (google/siglip-base-patch16-224) and SigLIP 2 of a "
    "fixed resolution (google/siglip2-base-patch32-256)"
)
# What OpenAI's configs on the Hub say, wrongly; transformers takes it for this.
HIGHEST_ID = 2
ACTIVATIONS = ("quick_gelu", "gelu", "gelu_pytorch_tanh", "gelu_new")


@dataclass(frozen=True, slots=True)
class TowerConfig:
    """A transformer. Named as in transformers' configs."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    hidden_act: str
    layer_norm_eps: float


@dataclass(frozen=True, slots=True)
class VisionConfig(TowerConfig):
    """The tower that reads pictures."""

    image_size: int
    patch_size: int

    @property
    def grid(self) -> int:
        """Patches on a side; pixels that do not fill a patch are left out."""
        return self.image_size // self.patch_size


@dataclass(frozen=True, slots=True)
class TextConfig(TowerConfig):
    """The tower that reads texts."""

    vocab_size: int
    max_position_embeddings: int
    eos_token_id: int
    """CLIP's text vector is taken at the first of these; at the highest id if it is HIGHEST_ID."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Both towers, and the length of the vectors that they share."""

    family: Family
    dim: int
    vision: VisionConfig
    text: TextConfig


_CLIP_TEXT = TextConfig(512, 2048, 12, 8, "quick_gelu", 1e-5, 49408, 77, 49407)
_CLIP_VISION = VisionConfig(768, 3072, 12, 12, "quick_gelu", 1e-5, 224, 32)
_CLIP_DIM = 512
_SIGLIP_TEXT = TextConfig(768, 3072, 12, 12, "gelu_pytorch_tanh", 1e-6, 32000, 64, 49407)
_SIGLIP_VISION = VisionConfig(768, 3072, 12, 12, "gelu_pytorch_tanh", 1e-6, 224, 16)

# What open_clip's towers can have and ours cannot; the values that mean "not used".
_OPEN_CLIP_UNUSED: dict[str, tuple[Any, ...]] = {
    "timm_model_name": (None,),
    "hf_model_name": (None,),
    "ls_init_value": (None,),
    "attentional_pool": (False,),
    "no_ln_pre": (False,),
    "final_ln_after_pool": (False,),
    "pos_embed_type": ("learnable",),
    "pool_type": ("tok", "argmax"),
    "embed_cls": (False,),
    "no_causal_mask": (False,),
    "proj_bias": (False,),
    "proj_type": ("linear",),
    "act_kwargs": (None,),
    "block_type": (None, "default"),
    "qk_norm": (False,),
    "scaled_cosine_attn": (False,),
    "scale_heads": (False,),
    "scale_attn_inner": (False,),
    "scale_attn": (False,),
    "scale_fc": (False,),
}


def read_config(folder: Path) -> ModelConfig:
    """The config of a checkpoint: its config.json, else its open_clip_config.json.

    Raises ConfigError when neither is there or makes sense, UnsupportedModelError when it is of a
    model that mlx_clip does not have.
    """
    path, open_clip_path = folder / "config.json", folder / "open_clip_config.json"
    if not path.is_file() and not open_clip_path.is_file():
        raise ConfigError(
            f"{folder} holds no model: neither config.json nor open_clip_config.json is there. "
            "Name a folder with a whole checkpoint, or set CLIP_MODEL=starter"
        )
    raw = read_json(path) if path.is_file() else {}
    if "model_type" not in raw and open_clip_path.is_file():
        path, raw = open_clip_path, read_json(open_clip_path)
    try:
        config = _open_clip(raw) if "model_cfg" in raw else _transformers(raw)
        _check(config)
    except UnsupportedModelError as error:
        raise UnsupportedModelError(f"{path}: {error}. {SUPPORTED}") from None
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise ConfigError(f"{path} makes no sense: {error}. Copy the model again") from error
    return config


def read_json(path: Path) -> dict[str, Any]:
    """A file that holds a JSON object. Raises ConfigError, naming the file."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. Copy the model again") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path} holds no JSON object. Copy the model again")
    return raw


def _transformers(raw: Mapping[str, Any]) -> ModelConfig:
    kind = raw.get("model_type")
    vision, text = _tower(raw, "vision_config"), _tower(raw, "text_config")
    if kind == "clip":
        return ModelConfig(
            "clip",
            int(raw.get("projection_dim") or _CLIP_DIM),
            _fill(_CLIP_VISION, vision),
            _fill(_CLIP_TEXT, text),
        )
    if kind == "siglip":
        if vision.get("vision_use_head") is False:
            raise UnsupportedModelError("this SigLIP has no pooling head")
        size = text.get("projection_size")
        config = _fill(_SIGLIP_VISION, vision), _fill(_SIGLIP_TEXT, text)
        return ModelConfig("siglip", int(size or config[1].hidden_size), *config)
    if kind is None:
        raise UnsupportedModelError("it states no model_type")
    raise UnsupportedModelError(f"a model of type {kind!r} is not supported")


def _tower(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What a tower's config says; old configs have it twice, and transformers takes this one."""
    said = raw.get(f"{name}_dict")
    return dict((raw.get(name) if said is None else said) or {})


_Tower = TypeVar("_Tower", VisionConfig, TextConfig)


def _fill(defaults: _Tower, raw: Mapping[str, Any]) -> _Tower:
    """The defaults, with what a config says put over them."""
    said = {}
    for field in fields(defaults):
        value = raw.get(field.name)
        if value is not None:
            said[field.name] = _one(value, type(getattr(defaults, field.name)))
    return replace(defaults, **said)


def _one(value: Any, kind: type) -> Any:
    """A config's value as one number or word; sizes may be pairs of the same number."""
    if isinstance(value, list | tuple):
        if len(set(value)) != 1:
            raise UnsupportedModelError(f"it has a size of {value}, and only squares are supported")
        value = value[0]
    if isinstance(value, bool) or (kind is not str and not isinstance(value, int | float)):
        raise ValueError(f"{value!r} where a number belongs")
    return kind(value)


def _open_clip(raw: Mapping[str, Any]) -> ModelConfig:
    model = raw["model_cfg"]
    vision, text = model["vision_cfg"], model["text_cfg"]
    for tower in (vision, text):
        for key, unused in _OPEN_CLIP_UNUSED.items():
            if tower.get(key, unused[0]) not in unused:
                raise UnsupportedModelError(f"a model with {key} {tower[key]!r} is not supported")
    if isinstance(vision.get("layers"), list) or "multimodal_cfg" in model:
        raise UnsupportedModelError("only vision transformers with a text tower are supported")
    act = "quick_gelu" if model.get("quick_gelu") else "gelu"
    width, text_width = int(vision.get("width", 768)), int(text.get("width", 512))
    return ModelConfig(
        "clip",
        int(model["embed_dim"]),
        VisionConfig(
            width,
            int(width * vision.get("mlp_ratio", 4.0)),
            int(vision.get("layers", 12)),
            width // int(vision.get("head_width", 64)),
            act,
            float((vision.get("norm_kwargs") or {}).get("eps", 1e-5)),
            _one(vision.get("image_size", 224), int),
            _one(vision.get("patch_size", 16), int),
        ),
        TextConfig(
            text_width,
            int(text_width * text.get("mlp_ratio", 4.0)),
            int(text.get("layers", 12)),
            int(text.get("heads", 8)),
            act,
            float((text.get("norm_kwargs") or {}).get("eps", 1e-5)),
            int(text.get("vocab_size", 49408)),
            int(text.get("context_length", 77)),
            HIGHEST_ID,
        ),
    )


def _check(config: ModelConfig) -> None:
    for tower in (config.vision, config.text):
        if tower.hidden_act not in ACTIVATIONS:
            raise UnsupportedModelError(f"the activation {tower.hidden_act!r} is not supported")
        numbers = [getattr(tower, field.name) for field in fields(tower)]
        if any(isinstance(number, int | float) and number <= 0 for number in numbers):
            raise ValueError("a size that is not above zero")
        if tower.hidden_size % tower.num_attention_heads:
            raise ValueError(
                f"{tower.num_attention_heads} heads do not divide a width of {tower.hidden_size}"
            )
    if config.vision.patch_size > config.vision.image_size:
        raise ValueError("a patch larger than the picture")
    if config.family == "siglip" and config.dim != config.vision.hidden_size:
        raise ValueError("towers of different dimensions")
