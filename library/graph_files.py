"""The files of Chroma's HNSW graphs: whether they can be what a graph was written as.

hnswlib persists a graph in header.bin, data_level0.bin (vectors and lowest links), length.bin and
link_lists.bin: for each element the size in bytes of its higher links, uint32, and the links. It
does so file by file, and after a SIGKILL has been seen to leave link lists of 155 GB (nearly all a
hole), which crash their next reader.
"""

from __future__ import annotations

import struct
from pathlib import Path

# hnswlib's in Chroma: int version, size_t offset of level 0, room, elements, bytes of an element.
_HEADER = struct.Struct("<i4Q")
_SIZE = struct.Struct("<I")


def graphs_are_whole(directory: Path) -> bool:
    """Whether each graph below Chroma's directory has all of its links, and no more than can be."""
    return all(_is_whole(header.parent) for header in directory.glob("*/header.bin"))


def _is_whole(graph: Path) -> bool:
    try:
        _, _, _, elements, size = _HEADER.unpack_from((graph / "header.bin").read_bytes())
        level0 = (graph / "data_level0.bin").stat().st_size
        links = graph / "link_lists.bin"
        # One element in sixteen has links above level 0, and no more there than on it.
        if level0 < elements * size or links.stat().st_size > level0:
            return False
        return _has_links_of(elements, links.read_bytes())
    except (OSError, struct.error):
        return False


def _has_links_of(elements: int, links: bytes) -> bool:
    place = 0
    for _ in range(elements):
        (size,) = _SIZE.unpack_from(links, place)  # struct.error behind the end
        place += _SIZE.size + size
    return place <= len(links)
