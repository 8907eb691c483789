"""CLIP, SigLIP and SigLIP 2 on MLX or ONNX Runtime: pictures and words to vectors.

Stands alone: imports nothing else of the project. README.md says how to use it. What stands here is
imported when it is first used: NumPy, Pillow and the tokenizers take longer than a program that
only wants an exception or a name should pay.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from mlx_clip.load import best_available, load_encoder
    from mlx_clip.names import DEFAULT, STARTER
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

_MODULES = {
    **dict.fromkeys(("Encoder", "Pixels", "Vectors"), "encoder"),
    **dict.fromkeys(("best_available", "load_encoder"), "load"),
    **dict.fromkeys(("DEFAULT", "STARTER"), "names"),
    "mlx_clip": "original",
    "open_picture": "picture",
    "Runtime": "runtime",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"mlx_clip.{_MODULES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value
