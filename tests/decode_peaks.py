"""`python -m tests.decode_peaks FILE...`: what decoding each file said it would hold, and held.

Prints [[bytes said, bytes at the peak], ...] as JSON. Linux only.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

from library import memory, photos
from tests.corpus import saved
from tests.pictures import drawing

LEAST = 512


def decode(data: bytes) -> float:
    header = photos.read_header(io.BytesIO(data), LEAST, memory.MOST_MEGAPIXELS)
    photos.thumbnail(photos.decode(header, LEAST, len(data)))
    return header.megapixels * memory.BYTES_PER_MEGAPIXEL


def resident(name: str) -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if name in line)
    return 1024 * int(line.split()[1])


def main() -> None:
    decode(saved("JPEG", drawing(1)))  # whatever is made ready once
    found = []
    for name in sys.argv[1:]:
        data = Path(name).read_bytes()
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = resident("VmRSS")
        said = decode(data)
        found.append([round(said), resident("VmHWM") - before])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
