"""What a model runs on, how precisely, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mlx_clip.errors import RuntimeChoiceError

RUNTIMES = ("auto", "mlx", "onnx")
PRECISIONS = ("auto", "float32", "float16", "int8")

_PRECISIONS_OF = {"mlx": ("float16", "float32"), "onnx": ("float32", "int8")}


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime that was chosen. `str()` says it to people."""

    kind: Literal["mlx", "onnx"]
    device: str
    precision: str
    """Empty for a model that has one of its own."""
    why: str

    def __str__(self) -> str:
        name = "MLX" if self.kind == "mlx" else "ONNX Runtime"
        return f"{name} on {self.device}" + (f", {self.precision}" if self.precision else "")


def choose_runtime(runtime: str, precision: str) -> Runtime:
    """The runtime for a checkpoint: MLX where Metal or CUDA is, else ONNX Runtime.

    Raises RuntimeChoiceError when what was asked for is unknown, or cannot be had here.
    """
    _among("CLIP_RUNTIME", runtime, RUNTIMES)
    _among("CLIP_PRECISION", precision, PRECISIONS)
    gpu = None if runtime == "onnx" else _gpu(required=runtime == "mlx")
    if runtime == "onnx" or (runtime == "auto" and gpu is None):
        why = "CLIP_RUNTIME asks for it" if runtime == "onnx" else "there is no Metal or CUDA here"
        return Runtime("onnx", "the CPU", _precision("onnx", precision, "float32"), why)
    default = "float32" if gpu is None else "float16"
    why = "CLIP_RUNTIME asks for it" if runtime == "mlx" else f"there is {gpu}"
    return Runtime("mlx", gpu or "the CPU", _precision("mlx", precision, default), why)


def onnx_only(runtime: str, precision: str, model: str) -> Runtime:
    """The runtime of a model that is an ONNX model already."""
    _among("CLIP_RUNTIME", runtime, RUNTIMES)
    _among("CLIP_PRECISION", precision, PRECISIONS)
    if runtime == "mlx":
        raise RuntimeChoiceError(
            f"{model} is made for ONNX Runtime: set CLIP_RUNTIME=auto, or choose another CLIP_MODEL"
        )
    return Runtime("onnx", "the CPU", "", f"{model} is made for it")


def _among(setting: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise RuntimeChoiceError(f"{setting} is {value!r}: use {', '.join(known)}")


def _precision(kind: str, wanted: str, default: str) -> str:
    if wanted == "auto":
        return default
    if wanted not in _PRECISIONS_OF[kind]:
        name = "MLX" if kind == "mlx" else "ONNX Runtime"
        raise RuntimeChoiceError(
            f"CLIP_PRECISION={wanted} is not for {name}, which this machine or CLIP_RUNTIME asks "
            f"for: use {' or '.join(_PRECISIONS_OF[kind])}"
        )
    return wanted


def _gpu(*, required: bool) -> str | None:
    """The GPU that MLX has here, or None; MLX itself must be there if it is `required`."""
    try:
        from mlx_clip.mlx_device import gpu

        return gpu()
    except ImportError as error:
        if required:
            raise RuntimeChoiceError(
                f"CLIP_RUNTIME=mlx needs MLX, which does not load here ({error}): install it "
                "(pip install mlx), or set CLIP_RUNTIME=auto"
            ) from error
        return None
