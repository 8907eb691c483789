"""A checkpoint in open_clip's layout, read under transformers' names.

open_clip (https://github.com/mlfoundations/open_clip, model.py) keeps OpenAI's names, with the
projections of an attention in one tensor and those into the joint space transposed.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from mlx_clip.tensors import Tensors

_MARK = "visual.conv1.weight"
_TEXT_PREFIX = "text."  # what open_clip's CustomTextCLIP puts before the names of its text tower

_VISION = {
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": _MARK,
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "vision_model.pre_layrnorm": "visual.ln_pre",
    "vision_model.post_layernorm": "visual.ln_post",
    "visual_projection.weight": "visual.proj",
}
_TEXT = {
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm": "ln_final",
    "text_projection.weight": "text_projection",
}
_LAYER = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}
_PROJECTIONS = ("q_proj", "k_proj", "v_proj")
_TRANSPOSED = ("visual_projection.weight", "text_projection.weight")


def is_open_clip(tensors: Tensors) -> bool:
    """Whether a checkpoint is in open_clip's layout."""
    return _MARK in tensors


class OpenClipTensors:
    """The Tensors of such a checkpoint, under transformers' names."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._text_prefix = "" if "token_embedding.weight" in tensors else _TEXT_PREFIX

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._place(name)[0] in self._tensors

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's shape."""
        place, third = self._place(name)
        shape = self._tensors.shape(place)
        if third is not None:
            return (shape[0] // 3, *shape[1:])
        return shape[::-1] if name in _TRANSPOSED else shape

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        place, third = self._place(name)
        values = self._tensors[place]
        if third is not None:
            return np.split(values, 3)[third]
        return np.ascontiguousarray(values.T) if name in _TRANSPOSED else values

    def _place(self, name: str) -> tuple[str, int | None]:
        """Where open_clip keeps a tensor, and which third of it where it keeps three in one."""
        base, _, ending = name.rpartition(".")
        if name in _VISION:
            return _VISION[name], None
        if base in _VISION:
            return f"{_VISION[base]}.{ending}", None
        if name in _TEXT:
            return self._text_prefix + _TEXT[name], None
        if base in _TEXT:
            return f"{self._text_prefix}{_TEXT[base]}.{ending}", None
        return self._layer_place(name)

    def _layer_place(self, name: str) -> tuple[str, int | None]:
        match = re.fullmatch(r"(vision|text)_model\.encoder\.layers\.(\d+)\.(.+)\.(\w+)", name)
        if match is None:
            return name, None
        tower, number, part, ending = match.groups()
        root = "visual." if tower == "vision" else self._text_prefix
        layer = f"{root}transformer.resblocks.{number}"
        projection = part.rpartition(".")[2]
        if projection in _PROJECTIONS:
            return f"{layer}.attn.in_proj_{ending}", _PROJECTIONS.index(projection)
        return f"{layer}.{_LAYER.get(part, part)}.{ending}", None
