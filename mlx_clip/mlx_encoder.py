"""MlxEncoder: a checkpoint on MLX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from PIL import Image

from mlx_clip.checkpoint import Checkpoint
from mlx_clip.clip import ClipText, ClipVision
from mlx_clip.encoder import Pixels, Vectors
from mlx_clip.mlx_thread import mlx_thread
from mlx_clip.runtime import Runtime
from mlx_clip.siglip import SiglipText, SiglipVision
from mlx_clip.tensors import Shapes, Tensors, text_shapes, vision_shapes
from mlx_clip.together import Together

Function = Callable[[mx.array], mx.array]

# A query waits for at most one batch of a crawl.
_IMAGE_BATCH = 8
_TEXT_BATCH = 32
# CLIP's texts are as long as their longest; mx.compile makes a graph for each shape.
_TEXT_STEP = 16

_DTYPES = {"float16": mx.float16, "float32": mx.float32}
_VISION: dict[str, type[Any]] = {"clip": ClipVision, "siglip": SiglipVision}
_TEXT: dict[str, type[Any]] = {"clip": ClipText, "siglip": SiglipText}
_PATCHES = "vision_model.embeddings.patch_embedding.weight"


class MlxEncoder:
    """The Encoder over a checkpoint. Safe to call from several threads.

    A thread of its own loads the weights and evaluates; each half of the model is loaded when it is
    first needed. Raises WeightsError or TokenizerError then.
    """

    def __init__(self, checkpoint: Checkpoint, runtime: Runtime) -> None:
        self._checkpoint = checkpoint
        self._thread = mlx_thread()
        self._together = Together(self._encode_batches)
        self.runtime = runtime
        self.name = checkpoint.name
        self.family = checkpoint.config.family
        self.space = checkpoint.space
        self.dim = checkpoint.config.dim
        self.image_size = checkpoint.preprocessing.size

    def preprocess(self, image: Image.Image) -> Pixels:
        """As Encoder.preprocess."""
        return self._checkpoint.preprocessing(image)

    def encode_images(self, pixels: Pixels) -> Vectors:
        """As Encoder.encode_images."""
        vectors: list[Vectors] = [np.empty((0, self.dim), np.float32)]
        for start in range(0, len(pixels), _IMAGE_BATCH):
            batch = pixels[start : start + _IMAGE_BATCH]
            vectors.append(self._thread.run(self._encode_images, batch))
        return np.concatenate(vectors)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """As Encoder.encode_texts."""
        # A batch at a time: between two of a long list, who has a single query gets in.
        batches = [texts[i : i + _TEXT_BATCH] for i in range(0, len(texts), _TEXT_BATCH)]
        return np.concatenate([np.empty((0, self.dim), np.float32), *map(self._together, batches)])

    def _encode_batches(self, texts: Sequence[str]) -> Vectors:
        vectors: list[Vectors] = [np.empty((0, self.dim), np.float32)]
        tokenizer = self._checkpoint.tokenizer
        for start in range(0, len(texts), _TEXT_BATCH):
            ids = _lengthened(tokenizer(texts[start : start + _TEXT_BATCH]), tokenizer.length)
            vectors.append(self._thread.run(self._encode_texts, ids))
        return np.concatenate(vectors)

    def _encode_images(self, pixels: Pixels) -> Vectors:
        return np.array(self._image(mx.array(pixels)))

    def _encode_texts(self, ids: np.ndarray) -> Vectors:
        return np.array(self._text(mx.array(ids)))

    @cached_property
    def _image(self) -> Function:
        return image_function(self._checkpoint, _DTYPES[self.runtime.precision])

    @cached_property
    def _text(self) -> Function:
        return text_function(self._checkpoint, _DTYPES[self.runtime.precision])


def image_function(checkpoint: Checkpoint, dtype: mx.Dtype) -> Function:
    """uint8 (n, size, size, 3) -> L2-normalised float32 (n, dim). Reads the weights."""
    config, steps = checkpoint.config, checkpoint.preprocessing
    tower = _VISION[config.family](config)
    _load(tower, vision_shapes(config), checkpoint.tensors, dtype)
    mean, std = mx.array(steps.mean), mx.array(steps.std)

    def image(pixels: mx.array) -> mx.array:
        values = (pixels.astype(mx.float32) / 255 - mean) / std
        return _normalised(tower(values.astype(dtype)))

    return mx.compile(image)


def text_function(checkpoint: Checkpoint, dtype: mx.Dtype) -> Function:
    """Token ids (n, length) -> L2-normalised float32 (n, dim). Reads the weights."""
    config = checkpoint.config
    tower = _TEXT[config.family](config)
    _load(tower, text_shapes(config), checkpoint.tensors, dtype)
    return mx.compile(lambda ids: _normalised(tower(ids)))


def _load(tower: nn.Module, shapes: Shapes, tensors: Tensors, dtype: mx.Dtype) -> None:
    tower.load_weights([(name, _weight(tensors, name).astype(dtype)) for name in shapes])
    mx.eval(tower.parameters())


def _weight(tensors: Tensors, name: str) -> mx.array:
    """A tensor as the towers have it: the patches' convolution is a matrix there."""
    values = tensors[name]
    if name == _PATCHES:
        values = values.transpose(0, 2, 3, 1).reshape(len(values), -1)
    return mx.array(np.ascontiguousarray(values))


def _normalised(x: mx.array) -> mx.array:
    x = x.astype(mx.float32)
    return x / mx.linalg.norm(x, axis=-1, keepdims=True)


def _lengthened(ids: np.ndarray, longest: int) -> np.ndarray:
    """Token ids, padded to a multiple of a step: no text is changed by what follows its end."""
    length = min(-(-ids.shape[1] // _TEXT_STEP) * _TEXT_STEP, longest)
    return np.pad(ids, ((0, 0), (0, max(0, length - ids.shape[1])))).astype(np.int32)
