"""The header of a safetensors file: what is in the file, and whether it is all there.

The format, https://github.com/huggingface/safetensors#format: the header's length as 8 bytes,
little-endian; the header as JSON, {name: {"dtype", "shape", "data_offsets": [begin, end]}}; then
the tensors end to end, without gaps.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import NamedTuple

from mlx_clip.errors import WeightsError
from mlx_clip.stored import DTYPES, StoredTensor, damaged, is_shape, not_weights, row_major

_LONGEST = 4 << 20  # a thousand tensors take 0.1 MB


def check_safetensors(path: Path) -> None:
    """Raise WeightsError unless the file is whole; reads the header alone."""
    read_safetensors(path)


def read_safetensors(path: Path) -> dict[str, StoredTensor]:
    """What the file holds, by name. Raises WeightsError unless the file is whole."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(64)
            length = int.from_bytes(head[:8], "little")
            if error := not_weights(path, head) or _wrong_length(path, length, size):
                raise error
            file.seek(8)
            header = file.read(length)
    except OSError as error:
        raise damaged(path, f"cannot be read ({error.strerror})") from error
    try:
        entries = _entries(path, header)
    except (ValueError, RecursionError) as error:
        raise damaged(
            path, f"is no safetensors file, its header makes no sense ({error})"
        ) from error
    _check_size(path, list(entries.values()), 8 + length, size)
    return {name: entry.tensor for name, entry in entries.items()}


def _wrong_length(path: Path, length: int, size: int) -> WeightsError | None:
    if size < 8 or size - 8 < length <= _LONGEST:
        return damaged(path, f"is cut off: it has {size:,} bytes and ends within its header")
    if length > _LONGEST:
        return damaged(path, f"is no safetensors file: its header would have {length:,} bytes")
    return None


class _Entry(NamedTuple):
    tensor: StoredTensor
    end: int


def _entries(path: Path, header: bytes) -> dict[str, _Entry]:
    found = json.loads(header)
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    found.pop("__metadata__", None)
    return {name: _entry(path, name, value, 8 + len(header)) for name, value in found.items()}


def _entry(path: Path, name: str, value: object, data: int) -> _Entry:
    match value:
        case {"dtype": str(kind), "shape": [*shape], "data_offsets": [int(begin), int(end)]} if (
            is_shape(shape) and 0 <= begin <= end and _fits(kind, shape, end - begin)
        ):
            tensor = StoredTensor(path, kind, data + begin, tuple(shape), row_major(shape))
            return _Entry(tensor, data + end)
    raise ValueError(f"at {name[:80]!r}")


def _fits(kind: str, shape: list[int], size: int) -> bool:
    # A type unknown here may still stand in a file whose other tensors are wanted.
    return kind not in DTYPES or size == math.prod(shape) * DTYPES[kind].itemsize


def _check_size(path: Path, entries: list[_Entry], data: int, size: int) -> None:
    position = data
    for tensor, end in sorted(entries, key=lambda entry: (entry.tensor.start, entry.end)):
        if tensor.start != position:
            raise damaged(path, "is not to be trusted, its tensors overlap or have gaps")
        position = end
    if size < position:
        raise damaged(path, f"is cut off: it has {size:,} of {position:,} bytes")
    if size > position:
        raise damaged(path, f"is too long: it has {size:,} bytes instead of {position:,}")
