"""Writes checkpoints as torch.save does, around whatever pickle a test wants in them."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

FORMATS = ("zip", "legacy")
_LEGACY_START = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})


def part(value: object) -> bytes:
    """The instructions that push a value, to stand amid others."""
    return pickle.dumps(value, 2)[2:-1]


def save(path: Path, form: str, pickled: bytes, storages: dict[str, bytes]) -> Path:
    """A checkpoint whose object is what `pickled` makes, with storages of float32."""
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model/data.pkl", pickled)
            for key, data in storages.items():
                archive.writestr(f"model/data/{key}", data)
    else:
        parts = [*(pickle.dumps(one, 2) for one in _LEGACY_START), pickled]
        parts.append(pickle.dumps(list(storages), 2))
        parts += [(len(data) // 4).to_bytes(8, "little") + data for data in storages.values()]
        path.write_bytes(b"".join(parts))
    return path


def state_dict(
    form: str,
    count: int,
    offset: object = 0,
    shape: object = (4,),
    strides: object = None,
    key: str = "0",
    kind: str = "Float",
) -> bytes:
    """A pickle of {"a": a tensor}, which views a storage of `count` numbers."""
    storage = b"(" + part("storage") + b"ctorch\n%sStorage\n" % kind.encode()
    storage += part(key) + part("cpu")
    storage += part(count) + (b"" if form == "zip" else part(None)) + b"tQ"
    view = part(offset) + part(shape) + part((1,) if strides is None else strides)
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + view + part(False) + part(None)
    return b"\x80\x02}" + part("a") + tensor + b"tRs."
