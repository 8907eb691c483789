"""Writes safetensors files with any header, which the library would not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

ENTRIES: dict[str, dict[str, object]] = {
    "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
    "b": {"dtype": "F16", "shape": [1, 2], "data_offsets": [8, 12]},
}
"""Two tensors that take 12 bytes."""


def write(
    path: Path, header: Mapping[str, object] | bytes, data: bytes, length: int | None = None
) -> Path:
    """A file of a header and data; with `length`, filled up with zeros to so much data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)
        if length is not None:
            file.truncate(8 + len(text) + length)
    return path
