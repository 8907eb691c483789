"""Which GPU MLX has on this machine."""

from __future__ import annotations

import mlx.core as mx


def gpu() -> str | None:
    """ "Metal" or "CUDA", or None where MLX has only the CPU, on which it is slow."""
    if mx.metal.is_available():
        return "Metal"
    if hasattr(mx, "cuda") and mx.cuda.is_available():
        return "CUDA"
    return None
