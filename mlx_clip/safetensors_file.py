"""A safetensors file, written one tensor at a time.

The safetensors library wants all tensors in memory, twice. The format
(https://github.com/huggingface/safetensors#format) is the length of a JSON header, the header,
which says where each tensor is, and the tensors.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from mlx_clip.errors import WeightsError
from mlx_clip.tensors import Shapes, Tensors

DTYPES = ("float32", "float16")

_CODES = {"float32": "F32", "float16": "F16"}
_ALIGNMENT = 8


def write_safetensors(path: Path, tensors: Tensors, shapes: Shapes, dtype: str) -> None:
    """Write the tensors that `shapes` names. Raises WeightsError when one does not fit `dtype`."""
    kind = np.dtype(dtype).newbyteorder("<")
    with path.open("wb") as file:
        file.write(_header(shapes, _CODES[dtype], kind.itemsize))
        for name in shapes:
            values = tensors[name]
            with np.errstate(over="ignore"):
                narrowed = values.astype(kind)
            if np.isinf(narrowed).any() and not np.isinf(values).any():
                raise WeightsError(f"{name} has numbers too large for {dtype}: use float32")
            file.write(narrowed.tobytes())
        file.flush()
        os.fsync(file.fileno())


def _header(shapes: Shapes, code: str, itemsize: int) -> bytes:
    entries: dict[str, Any] = {"__metadata__": {"format": "mlx"}}
    start = 0
    for name, shape in shapes.items():
        end = start + math.prod(shape) * itemsize
        entries[name] = {"dtype": code, "shape": shape, "data_offsets": (start, end)}
        start = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text
