"""Checkpoints of torch.save (pytorch_model.bin), read without PyTorch and without running them.

Two formats, both of torch/serialization.py: a zip file (PyTorch 1.6 and later) with the pickle
`NAME/data.pkl` and each storage as `NAME/data/KEY`, never compressed; and before it, five pickles
(magic number, version, a description of the machine, the object, the keys of the storages), then
each storage: the count of its numbers as 8 bytes, and the numbers.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import IO, Any

from mlx_clip.errors import WeightsError
from mlx_clip.stored import DTYPES, StoredTensor, damaged, not_weights
from mlx_clip.unpickler import Storage, Unpickler, View

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_LONGEST = 4 << 20  # of a pickle: a thousand tensors take 0.2 MB


@dataclass(frozen=True)
class _Checkpoint:
    """What was saved, and where in the file each storage begins, by its key."""

    content: Any
    starts: dict[str, int]
    big_endian: bool = False


def read_pickled(path: Path) -> dict[str, StoredTensor]:
    """The tensors of a state dict, by name, or of the state dict of a training checkpoint.

    Raises WeightsError when the file is damaged, or asks for anything else than tensors.
    """
    try:
        with path.open("rb") as file:
            checkpoint = _read(path, file)
        views = _state_dict(checkpoint.content)
        return {name: _stored(path, checkpoint, view) for name, view in views.items()}
    except WeightsError:
        raise
    except UnpicklingError as error:
        raise WeightsError(
            f"{path} {error}, and nothing but tensors is read from such a file (nothing of it was "
            "run): take the model's safetensors file, or a copy of the model that you trust"
        ) from error
    except OSError as error:
        raise damaged(path, f"cannot be read ({error.strerror or error})") from error
    except Exception as error:  # zipfile and pickletools raise a dozen types at damaged files
        raise damaged(path, f"is damaged ({error!s:.200})") from error


def _read(path: Path, file: IO[bytes]) -> _Checkpoint:
    head = file.read(64)
    if error := not_weights(path, head):
        raise error
    if head.startswith(b"PK\3\4"):
        return _read_zip(file)
    if head.startswith(b"\x80"):
        return _read_legacy(file)
    raise damaged(path, "was not written by PyTorch")


def _read_zip(file: IO[bytes]) -> _Checkpoint:
    with zipfile.ZipFile(file) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        folder = _folder(entries)
        unpickler = Unpickler(io.BytesIO(_content(archive, entries[f"{folder}/data.pkl"])))
        content = unpickler.load()
        starts = {
            key: _start(file, entries.get(f"{folder}/data/{key}"), storage)
            for key, storage in unpickler.storages.items()
        }
        order = entries.get(f"{folder}/byteorder")  # from PyTorch 2.1 on
        return _Checkpoint(content, starts, _is_big(_content(archive, order) if order else b""))


def _folder(names: Iterable[str]) -> str:
    for name in names:
        folder, _, rest = name.partition("/")
        if rest == "data.pkl":
            return folder
    raise ValueError("it is a zip file without data.pkl")


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    _check_plain(entry)
    if entry.file_size > _LONGEST:
        raise ValueError(f"its {entry.filename} would have {entry.file_size:,} bytes")
    return archive.read(entry)


def _start(file: IO[bytes], entry: zipfile.ZipInfo | None, storage: Storage) -> int:
    """Where the bytes of a storage begin."""
    if entry is None:
        raise ValueError(f"its storage {storage.key!r:.80} is missing")
    _check_plain(entry)
    if entry.file_size != storage.size:
        raise ValueError(f"a storage of {storage.size:,} bytes has {entry.file_size:,}")
    file.seek(entry.header_offset)
    signature, name, extra = struct.unpack("<4s22xHH", file.read(30))
    start = entry.header_offset + 30 + int(name) + int(extra)
    if signature != b"PK\3\4" or start + storage.size > _size(file):
        raise ValueError(f"{entry.filename!r:.80} is not where it should be")
    return start


def _check_plain(entry: zipfile.ZipInfo) -> None:
    # PyTorch never compresses; a few bytes that swell to terabytes are not from there.
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise ValueError(f"{entry.filename!r:.80} is compressed")


def _is_big(order: bytes) -> bool:
    if order not in (b"", b"little", b"big"):
        raise ValueError("its byte order makes no sense")
    return order == b"big"


def _read_legacy(file: IO[bytes]) -> _Checkpoint:
    file.seek(0)
    stream = io.BytesIO(file.read(_LONGEST))
    unpickler = Unpickler(stream)
    if unpickler.load() != _MAGIC or unpickler.load() != _VERSION:
        raise ValueError("it is a pickle, but not of PyTorch")
    unpickler.load()
    content = unpickler.load()
    # A key of another type may be something that it is not safe to hash.
    storages = [unpickler.storages[key] for key in unpickler.load() if isinstance(key, str)]
    starts = dict(_follow(file, stream.tell(), storages))
    if starts.keys() != unpickler.storages.keys():
        raise ValueError("it does not have all of its storages")
    return _Checkpoint(content, starts)


def _follow(
    file: IO[bytes], position: int, storages: Iterable[Storage]
) -> Iterator[tuple[str, int]]:
    """Where the bytes of each storage begin, from the first storage's count on."""
    for storage in storages:
        file.seek(position)
        count = int.from_bytes(file.read(8), "little")
        if count != storage.count:
            raise ValueError(f"a storage of {storage.count:,} numbers has {count:,}")
        yield storage.key, position + 8
        position += 8 + storage.size
        if position > _size(file):
            raise ValueError("it is cut off")


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _state_dict(content: Any) -> dict[str, View]:
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise ValueError("it is no state dict")
    views = {name: view for name, view in content.items() if isinstance(view, View)}
    if not views:
        raise ValueError("it has no tensors")
    # As DistributedDataParallel names them, which open_clip trains with.
    prefix = "module." if all(str(name).startswith("module.") for name in views) else ""
    return {str(name).removeprefix(prefix): view for name, view in views.items()}


def _stored(path: Path, checkpoint: _Checkpoint, view: View) -> StoredTensor:
    start = checkpoint.starts[view.storage.key] + view.offset * DTYPES[view.kind].itemsize
    return StoredTensor(path, view.kind, start, view.shape, view.strides, checkpoint.big_endian)
