"""StoredTensor: where in a file a tensor lies, so that it is read when it is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlx_clip.errors import WeightsError

DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),  # the upper half of a float32, for which NumPy has no type
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
    "C64": np.dtype("<c8"),
    "C128": np.dtype("<c16"),
}
"""How the numbers of each type lie in a file, under the names that safetensors gives the types."""

FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
"""The types that weights are made of."""

_MOST_DIMENSIONS = 32
_MOST_ELEMENTS = 2**48


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in the file `path`, whose first element is `start` bytes into it.

    `kind` is a type as safetensors names it; `strides` count elements, as PyTorch's do.
    """

    path: Path
    kind: str
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    big_endian: bool = False

    def array(self) -> NDArray[Any]:
        """The tensor in memory of its own, in its own type; bfloat16 as float32.

        Raises WeightsError when the type is unknown or the file is not what it was when opened.
        """
        if self.kind not in DTYPES:
            raise WeightsError(
                f"{self.path} has numbers of the type {self.kind!r}, which mlx_clip does not "
                "read: use a float32, float16 or bfloat16 copy of the model"
            )
        dtype = DTYPES[self.kind]
        stored = self._read(dtype)
        native: NDArray[Any] = stored.astype(dtype.newbyteorder("="), order="C", copy=False)
        if self.kind == "BF16":
            return np.asarray(native.astype(np.uint32) << 16).view(np.float32)
        return native

    def _read(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        if 0 in self.shape:
            return np.empty(self.shape, dtype)
        count = span(self.shape, self.strides)
        try:
            with self.path.open("rb") as file:
                stored = dtype.newbyteorder(">") if self.big_endian else dtype
                flat = np.fromfile(file, stored, count, offset=self.start)
        except OSError as error:
            raise damaged(self.path, f"cannot be read ({error.strerror})") from error
        if flat.size != count:
            raise damaged(self.path, "was cut off while it was in use")
        # The stride of a dimension of one is never used, and may be any number at all.
        pairs = zip(self.shape, self.strides, strict=True)
        steps = [stride * dtype.itemsize if n > 1 else 0 for n, stride in pairs]
        return np.lib.stride_tricks.as_strided(flat, self.shape, steps)


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides, in elements, of a tensor that lies in one piece."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def span(shape: Sequence[int], strides: Sequence[int]) -> int:
    """How many elements lie from the first of a tensor to its last, both counted."""
    if 0 in shape:
        return 0
    return 1 + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))


def is_shape(value: object) -> bool:
    """Whether this is a shape that NumPy can have, whatever a file claims."""
    return (
        isinstance(value, list | tuple)
        and len(value) <= _MOST_DIMENSIONS
        and all(is_count(n) for n in value)
        and math.prod(max(n, 1) for n in value) < _MOST_ELEMENTS
    )


def is_count(value: object) -> bool:
    """Whether this counts something; True and False do not, though they are ints to Python."""
    return type(value) is int and value >= 0


def damaged(path: Path, what: str) -> WeightsError:
    """The error for a file that only another copy can mend; `what` goes on from its name."""
    return WeightsError(f"{path} {what}: delete it and download it again")


def not_weights(path: Path, head: bytes) -> WeightsError | None:
    """The error for what is often found in the place of weights, told by its first bytes."""
    if not head:
        return damaged(path, "is empty")
    if head.startswith(b"version https://git-lfs"):
        return WeightsError(
            f"{path} is a git-lfs pointer, not the file that it points to: "
            "run `git lfs pull` in its folder, or delete it and download it again"
        )
    # The length at the start of a safetensors file may begin with any character, but has zeros.
    if head.lstrip().startswith(b"<") and b"\0" not in head[:8]:
        return damaged(path, "is a web page, not weights")
    return None
