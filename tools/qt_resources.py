"""Reads Qt's binary resource files (`.rcc`), in which some packages ship their pictures.

The layout is that of Qt's `qresource.cpp`: a header, a tree of nodes, a table of names and the
data, all numbers big-endian.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_COMPRESSED_ZLIB, _DIRECTORY, _COMPRESSED_ZSTD = 1, 2, 4


class ResourceError(ValueError):
    """The file is no resource file, or uses something this reader does not know."""


@dataclass(frozen=True)
class _Layout:
    data: bytes
    tree: int
    blobs: int
    names: int
    node_size: int

    def node(self, index: int) -> tuple[str, int, int, int]:
        """The node's name, its flags, and the two numbers that depend on them."""
        at = self.tree + index * self.node_size
        name_at, flags = struct.unpack_from(">IH", self.data, at)
        first, second = struct.unpack_from(">II", self.data, at + 6)
        return self._name(name_at) if index else "", flags, first, second

    def _name(self, offset: int) -> str:
        at = self.names + offset
        (length,) = struct.unpack_from(">H", self.data, at)
        return self.data[at + 6 : at + 6 + 2 * length].decode("utf-16-be")

    def blob(self, offset: int, flags: int) -> bytes:
        at = self.blobs + offset
        (length,) = struct.unpack_from(">I", self.data, at)
        raw = self.data[at + 4 : at + 4 + length]
        if flags & _COMPRESSED_ZSTD:
            raise ResourceError("a resource is compressed with zstd, which is not read here")
        # A zlib stream is preceded by the length of what it unpacks to.
        return zlib.decompress(raw[4:]) if flags & _COMPRESSED_ZLIB else raw


def _open(path: Path) -> _Layout:
    data = path.read_bytes()
    if data[:4] != b"qres":
        raise ResourceError(f"{path} is not a Qt resource file")
    version, tree, blobs, names = struct.unpack_from(">4I", data, 4)
    return _Layout(data, tree, blobs, names, node_size=22 if version >= 2 else 14)


def _files(layout: _Layout, index: int, folder: str) -> Iterator[tuple[str, tuple[int, int]]]:
    name, flags, first, second = layout.node(index)
    path = f"{folder}/{name}" if folder else name
    if not flags & _DIRECTORY:
        yield path, (second, flags)
        return
    for child in range(second, second + first):
        yield from _files(layout, child, path)


@lru_cache(maxsize=8)
def _index(path: Path) -> tuple[_Layout, dict[str, tuple[int, int]]]:
    layout = _open(path)
    return layout, dict(_files(layout, 0, ""))


def resource_names(path: Path) -> list[str]:
    """The names of all resources in the `.rcc` file `path` (slashes, none in front).

    Raises:
        ResourceError: `path` is no resource file.
    """
    return list(_index(path)[1])


def read_resource(path: Path, name: str) -> bytes:
    """The bytes of the resource `name` (slashes, none in front) in the `.rcc` file `path`.

    Raises:
        ResourceError: `path` is no resource file, or it holds no such name.
    """
    layout, files = _index(path)
    if name not in files:
        raise ResourceError(f"{path} holds no {name}")
    return layout.blob(*files[name])
