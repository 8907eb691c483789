"""From a model's name to an Encoder."""

from __future__ import annotations

import re
from pathlib import Path

from mlx_clip.checkpoint import Checkpoint, open_checkpoint
from mlx_clip.config import SUPPORTED
from mlx_clip.encoder import Encoder
from mlx_clip.errors import ModelNotFoundError, UnsupportedModelError
from mlx_clip.names import DEFAULT, STARTER, onnx_model_folder
from mlx_clip.runtime import Runtime, choose_runtime, onnx_only

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


def load_encoder(
    name: str, *, runtime: str = "auto", precision: str = "auto", cache: Path | None = None
) -> Encoder:
    """Load a model: `starter`, a folder, or a name on the Hub, `org/model` or `org/model@revision`.

    A folder holds a checkpoint (config.json, weights, tokenizer) or is in the layout of
    models/starter. `runtime` is auto, mlx or onnx; `precision` auto, float32, float16 (MLX) or int8
    (ONNX Runtime). What is made for ONNX Runtime is kept in `cache`, by default the user's.

    The weights are read when they are first needed. Raises an EncoderError, whose message says what
    to do: see errors.py.
    """
    if folder := onnx_model_folder(name):
        model = "the starter model" if name == STARTER else f"the model in {folder}"
        return _onnx(folder, onnx_only(runtime, precision, model))
    chosen = choose_runtime(runtime, precision)
    checkpoint = find_checkpoint(name)
    if chosen.kind == "mlx":
        from mlx_clip.mlx_encoder import MlxEncoder

        return MlxEncoder(checkpoint, chosen)
    from mlx_clip.onnx_build import onnx_folder

    return _onnx(onnx_folder(checkpoint, chosen.precision, cache or user_cache()), chosen)


def find_checkpoint(name: str) -> Checkpoint:
    """The checkpoint in a folder, or of a name on the Hub, which is downloaded if need be.

    Raises an EncoderError; UnsupportedModelError for a model that is an ONNX model already.
    """
    if onnx_model_folder(name):
        raise UnsupportedModelError(
            f"{name} is an ONNX model already, and this needs a checkpoint: {SUPPORTED}"
        )
    folder = Path(name).expanduser()
    if folder.is_dir():
        return open_checkpoint(folder, folder.resolve().name)
    if not _HUB_NAME.fullmatch(name):
        raise ModelNotFoundError(
            f"there is no model {name!r}: CLIP_MODEL takes `starter`, the path of a folder, or a "
            f"name on the Hub such as {DEFAULT}"
        )
    # huggingface_hub takes a second to import, which only those who use it should pay.
    from mlx_clip.hub import Hub

    snapshot = Hub().fetch(name, accept=lambda folder: _refuse_unsupported(folder, name))
    return open_checkpoint(snapshot.folder, snapshot.name, snapshot.commit)


def best_available(timeout: float = 5) -> str:
    """DEFAULT where the Hub answers within `timeout` seconds or has been asked before; STARTER."""
    from mlx_clip.hub import Hub

    return DEFAULT if Hub().answers(DEFAULT, timeout) else STARTER


def _onnx(folder: Path, runtime: Runtime) -> Encoder:
    # onnxruntime takes a quarter of a second to import, which only those who encode should pay.
    from mlx_clip.onnx_encoder import OnnxEncoder

    return OnnxEncoder(folder, runtime)


def _refuse_unsupported(folder: Path, name: str) -> None:
    open_checkpoint(folder, name)


def user_cache() -> Path:
    """Where models made for ONNX Runtime are kept when nobody says where."""
    from platformdirs import user_cache_path

    return user_cache_path("mlx_clip")
