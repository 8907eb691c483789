"""Weights: the tensors of a checkpoint, whichever way they are kept."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlx_clip.errors import WeightsError
from mlx_clip.pickled import read_pickled
from mlx_clip.safetensors_header import check_safetensors, read_safetensors
from mlx_clip.stored import FLOATS, StoredTensor, damaged

__all__ = [
    "WEIGHT_FILES",
    "Weights",
    "check_safetensors",
    "choose_weights",
    "open_weights",
    "shards",
]

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "open_clip_pytorch_model.bin",
)
"""The names under which transformers and open_clip keep weights, in the order of preference."""

_SHARD = re.compile(r"\w[\w.-]*\.(safetensors|bin)", re.ASCII)
_PIECE = 1 << 20


class Weights:
    """The tensors of a checkpoint, by name; each is read when it is asked for, and not kept.

    Safe to use from several threads.
    """

    def __init__(self, tensors: Mapping[str, StoredTensor], files: Iterable[Path]) -> None:
        self._tensors = dict(tensors)
        self.names = frozenset(self._tensors)
        self.files = tuple(files)

    def __contains__(self, name: object) -> bool:
        return name in self._tensors

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        """The tensor as float32, in memory of its own; float16, bfloat16 and float64 converted.

        Raises WeightsError when there is none of this name, or it is not of floating point.
        """
        tensor = self._find(name)
        if tensor.kind not in FLOATS:
            raise WeightsError(
                f"{name} in {tensor.path} has numbers of the type {tensor.kind}: "
                "use a float32, float16 or bfloat16 copy of the model"
            )
        with np.errstate(all="ignore"):
            return np.asarray(tensor.array(), np.float32)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor, without reading it. Raises WeightsError as for reading it."""
        return self._find(name).shape

    def digest(self) -> str:
        """A short hash over the files' bytes, which reads all of them."""
        digest = hashlib.blake2b(digest_size=6)
        for path in self.files:
            try:
                with path.open("rb") as file:
                    while piece := file.read(_PIECE):
                        digest.update(piece)
            except OSError as error:
                raise damaged(path, f"cannot be read ({error.strerror})") from error
        return digest.hexdigest()

    def _find(self, name: str) -> StoredTensor:
        if name not in self._tensors:
            files = ", ".join(str(path) for path in self.files)
            raise WeightsError(
                f"there is no tensor {name} in {files}: "
                "the weights are not of the kind that the model's configuration says"
            )
        return self._tensors[name]


def open_weights(folder: Path) -> Weights:
    """The weights in a model's folder: the first of WEIGHT_FILES that it has.

    Reads what the files say of themselves and checks that they are whole, but no tensor.
    Raises WeightsError when the folder has no weights, or they are damaged.
    """
    name = choose_weights(name for name in WEIGHT_FILES if (folder / name).is_file())
    if name is None:
        raise WeightsError(
            f"{folder} has no weights: one of {', '.join(WEIGHT_FILES)} is needed. "
            "Download the model again, or name a folder that has them"
        )
    path = folder / name
    return _open_sharded(path) if path.suffix == ".json" else Weights(_open(path), [path])


def choose_weights(names: Iterable[str]) -> str | None:
    """The first of WEIGHT_FILES that is among the names of a model's files, if any is."""
    present = set(names)
    return next((name for name in WEIGHT_FILES if name in present), None)


def shards(index_path: Path) -> list[str]:
    """The names of the files that an index lists, beside it. Raises WeightsError."""
    return sorted(set(_weight_map(index_path).values()))


def _weight_map(path: Path) -> dict[str, str]:
    """The shard of each tensor, as {"weight_map": {name: shard}} of the index says."""
    try:
        index = json.loads(path.read_bytes())
    except OSError as error:
        raise damaged(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise damaged(path, "is no JSON file") from error
    found = index.get("weight_map") if isinstance(index, dict) else None
    if not found or not isinstance(found, dict):
        raise damaged(path, "lists no weights")
    for shard in found.values():
        # A name only: an index must not lead out of its folder.
        if not isinstance(shard, str) or not _SHARD.fullmatch(shard):
            raise damaged(path, f"lists {shard!r:.80}, which is no name of a weights file")
    return found


def _open_sharded(index: Path) -> Weights:
    weight_map = _weight_map(index)
    files = [index.parent / name for name in sorted(set(weight_map.values()))]
    if missing := [path.name for path in files if not path.is_file()]:
        raise WeightsError(
            f"{index} lists weights that are not beside it: {', '.join(missing)}. "
            "Download the model again"
        )
    opened = {path.name: _open(path) for path in files}
    for name, shard in weight_map.items():
        if name not in opened[shard]:
            raise damaged(index.parent / shard, f"has no tensor {name}, which {index.name} lists")
    return Weights({name: opened[shard][name] for name, shard in weight_map.items()}, files)


def _open(path: Path) -> dict[str, StoredTensor]:
    return read_safetensors(path) if path.suffix == ".safetensors" else read_pickled(path)
