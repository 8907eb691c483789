"""Pictures and words to vectors. Stands alone: imports nothing else of the project."""

from __future__ import annotations

from pathlib import Path

from mlx_clip.encoder import Encoder, Pixels, Vectors
from mlx_clip.errors import EncoderError, ModelBrokenError, ModelNotFoundError

__all__ = [
    "STARTER",
    "Encoder",
    "EncoderError",
    "ModelBrokenError",
    "ModelNotFoundError",
    "Pixels",
    "Vectors",
    "load_encoder",
]

STARTER = "starter"
"""The name of the small model that comes with the project."""

_STARTER_FOLDER = Path(__file__).parent.parent / "models" / "starter"


def load_encoder(name: str) -> Encoder:
    """Load a model: `starter`, or the path of a folder in the layout of models/starter.

    Raises ModelNotFoundError or ModelBrokenError, whose messages say what to do.
    """
    # onnxruntime takes a quarter of a second to import, which only those who encode should pay.
    from mlx_clip.onnx_encoder import OnnxEncoder

    if name == STARTER:
        return OnnxEncoder(_STARTER_FOLDER)
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise ModelNotFoundError(
            f"there is no model {name!r} here: CLIP_MODEL takes `starter` or the path of a folder "
            "(CLIP models from the Hub are not supported yet)"
        )
    return OnnxEncoder(folder)
