"""CLIP, SigLIP and SigLIP 2 on MLX or ONNX Runtime: pictures and words to vectors.

Stands alone: imports nothing else of the project. README.md says how to use it.
"""

from __future__ import annotations

from mlx_clip.encoder import Encoder, Pixels, Vectors
from mlx_clip.errors import (
    ConfigError,
    EmptyTextError,
    EncoderError,
    HubError,
    InputError,
    ModelBrokenError,
    ModelNotFoundError,
    PictureError,
    RuntimeChoiceError,
    ShapeError,
    TextTooLongError,
    TokenizerError,
    UnsupportedModelError,
    WeightsError,
)
from mlx_clip.load import DEFAULT, STARTER, best_available, load_encoder
from mlx_clip.original import mlx_clip
from mlx_clip.picture import open_picture
from mlx_clip.runtime import Runtime

__all__ = [
    "DEFAULT",
    "STARTER",
    "ConfigError",
    "EmptyTextError",
    "Encoder",
    "EncoderError",
    "HubError",
    "InputError",
    "ModelBrokenError",
    "ModelNotFoundError",
    "PictureError",
    "Pixels",
    "Runtime",
    "RuntimeChoiceError",
    "ShapeError",
    "TextTooLongError",
    "TokenizerError",
    "UnsupportedModelError",
    "Vectors",
    "WeightsError",
    "best_available",
    "load_encoder",
    "mlx_clip",
    "open_picture",
]
