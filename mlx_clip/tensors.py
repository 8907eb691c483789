"""The tensors that a model is made of: their names, which are transformers', and their shapes."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mlx_clip.config import ModelConfig, TextConfig, TowerConfig, VisionConfig
from mlx_clip.errors import ShapeError, WeightsError

Shapes = dict[str, tuple[int, ...]]


class Tensors(Protocol):
    """A checkpoint's tensors, each read when it is asked for."""

    def __contains__(self, name: object) -> bool:
        """Whether there is a tensor of this name."""

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's shape."""

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        """A tensor's values."""


def vision_shapes(config: ModelConfig) -> Shapes:
    """The picture tower's tensors."""
    vision, width = config.vision, config.vision.hidden_size
    positions = vision.grid**2 + (config.family == "clip")
    embeddings = "vision_model.embeddings"
    shapes: Shapes = {
        f"{embeddings}.patch_embedding.weight": (width, 3, vision.patch_size, vision.patch_size),
        f"{embeddings}.position_embedding.weight": (positions, width),
        **_layers("vision_model", vision),
        **_norm("vision_model.post_layernorm", width),
    }
    if config.family == "clip":
        shapes |= {
            f"{embeddings}.class_embedding": (width,),
            **_norm("vision_model.pre_layrnorm", width),
            "visual_projection.weight": (config.dim, width),
        }
    else:
        shapes |= {f"{embeddings}.patch_embedding.bias": (width,), **_pooling_head(vision)}
    return shapes


def text_shapes(config: ModelConfig) -> Shapes:
    """The text tower's tensors."""
    text, width = config.text, config.text.hidden_size
    shapes: Shapes = {
        "text_model.embeddings.token_embedding.weight": (text.vocab_size, width),
        "text_model.embeddings.position_embedding.weight": (text.max_position_embeddings, width),
        **_layers("text_model", text),
        **_norm("text_model.final_layer_norm", width),
    }
    if config.family == "clip":
        return shapes | {"text_projection.weight": (config.dim, width)}
    return shapes | _linear("text_model.head", config.dim, width)


def parameters(config: ModelConfig) -> int:
    """How many numbers a model consists of."""
    shapes = vision_shapes(config) | text_shapes(config)
    return sum(math.prod(shape) for shape in shapes.values())


def check(tensors: Tensors, config: ModelConfig, source: object) -> None:
    """Raise WeightsError or ShapeError unless `tensors` are what `config` asks for."""
    for name, shape in (vision_shapes(config) | text_shapes(config)).items():
        if name not in tensors:
            raise WeightsError(f"the weights in {source} lack {name}. Copy the model again")
        if tensors.shape(name) != shape:
            raise ShapeError(
                f"{name} in {source} is {tensors.shape(name)}, and by the model's config it should "
                f"be {shape}: config and weights are not of one model. Copy the model again"
            )


def _linear(name: str, out: int, into: int) -> Shapes:
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _mlp(name: str, tower: TowerConfig) -> Shapes:
    width, hidden = tower.hidden_size, tower.intermediate_size
    return _linear(f"{name}.fc1", hidden, width) | _linear(f"{name}.fc2", width, hidden)


def _layers(name: str, tower: TextConfig | VisionConfig) -> Shapes:
    shapes: Shapes = {}
    width = tower.hidden_size
    for number in range(tower.num_hidden_layers):
        layer = f"{name}.encoder.layers.{number}"
        for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= _linear(f"{layer}.self_attn.{projection}", width, width)
        shapes |= _norm(f"{layer}.layer_norm1", width) | _norm(f"{layer}.layer_norm2", width)
        shapes |= _mlp(f"{layer}.mlp", tower)
    return shapes


def _pooling_head(vision: VisionConfig) -> Shapes:
    head, width = "vision_model.head", vision.hidden_size
    return {
        f"{head}.probe": (1, 1, width),
        f"{head}.attention.in_proj_weight": (3 * width, width),
        f"{head}.attention.in_proj_bias": (3 * width,),
        **_linear(f"{head}.attention.out_proj", width, width),
        **_norm(f"{head}.layernorm", width),
        **_mlp(f"{head}.mlp", vision),
    }
