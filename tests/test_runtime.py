"""What a model runs on, and why."""

from __future__ import annotations

import pytest

from mlx_clip.errors import RuntimeChoiceError
from mlx_clip.runtime import choose_runtime, onnx_only

mlx_device = pytest.importorskip("mlx_clip.mlx_device", reason="MLX has no wheel here")
GPU = mlx_device.gpu()


def test_auto_is_mlx_exactly_where_it_has_a_gpu() -> None:
    chosen = choose_runtime("auto", "auto")
    if GPU:
        assert (chosen.kind, chosen.precision) == ("mlx", "float16")
        assert GPU in chosen.why
    else:
        assert (chosen.kind, chosen.precision) == ("onnx", "float32")
        assert chosen.why == "there is no Metal or CUDA here"


@pytest.mark.parametrize(
    ("runtime", "precision", "said"),
    [
        ("onnx", "auto", "ONNX Runtime on the CPU, float32"),
        ("onnx", "int8", "ONNX Runtime on the CPU, int8"),
        ("mlx", "float32", f"MLX on {GPU or 'the CPU'}, float32"),
        ("mlx", "float16", f"MLX on {GPU or 'the CPU'}, float16"),
    ],
)
def test_what_is_asked_for_is_had(runtime: str, precision: str, said: str) -> None:
    chosen = choose_runtime(runtime, precision)
    assert str(chosen) == said
    assert chosen.why == "CLIP_RUNTIME asks for it"


@pytest.mark.parametrize(
    ("runtime", "precision", "message"),
    [
        ("torch", "auto", "CLIP_RUNTIME is 'torch': use auto, mlx, onnx"),
        ("auto", "int4", "CLIP_PRECISION is 'int4': use auto, float32, float16, int8"),
        ("onnx", "float16", "float16 is not for ONNX Runtime.* use float32 or int8"),
        ("mlx", "int8", "int8 is not for MLX.* use float16 or float32"),
    ],
)
def test_what_cannot_be_had_is_said(runtime: str, precision: str, message: str) -> None:
    with pytest.raises(RuntimeChoiceError, match=message):
        choose_runtime(runtime, precision)


def test_an_onnx_model_runs_on_onnx_runtime_alone() -> None:
    assert onnx_only("auto", "auto", "the starter model").why == "the starter model is made for it"
    with pytest.raises(RuntimeChoiceError, match="the starter model is made for ONNX Runtime"):
        onnx_only("mlx", "auto", "the starter model")
