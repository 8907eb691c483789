"""What a decode says it will hold is what it holds, whatever the format."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image

from tests import raw_files
from tests.corpus import saved
from tests.pictures import drawing
from tests.videos import video

ROOT = Path(__file__).parent.parent
# What an allocator rounds up, a library makes ready once, and a stack takes.
_SLACK = 3_000_000


def files() -> dict[str, bytes]:
    pillow_heif.register_heif_opener()
    picture = drawing(1, (1600, 1200))
    clear = picture.convert("RGBA")
    clear.putalpha(picture.getchannel(0))
    palette = picture.quantize(64)
    grey = np.asarray(picture.convert("L"))
    deep = np.asarray(picture).astype(np.uint16) << 8
    turned = {ExifTags.Base.Orientation.value: 6}
    ten_bits = pillow_heif.from_bytes("RGB;16", picture.size, deep.tobytes())
    whole = {"compression": "tiff_lzw", "strip_size": 2**31 - 1}
    return {
        "jpeg": saved("JPEG", picture),
        "jpeg, progressive": saved("JPEG", picture, progressive=True, subsampling=0),
        "jpeg, progressive CMYK": saved("JPEG", picture.convert("CMYK"), progressive=True),
        "png": saved("PNG", picture),
        "png, transparent": saved("PNG", clear),
        "png, palette": saved("PNG", palette, transparency=3),
        "png, 16 bits": saved("PNG", Image.fromarray(grey.astype(np.uint16) << 8)),
        "png, long": saved("PNG", Image.new("RGB", (12_000, 300))),
        "gif": saved("GIF", palette, save_all=True, append_images=[palette.rotate(180)]),
        "webp": saved("WEBP", picture, method=0),
        "webp, lossless": saved("WEBP", clear, lossless=True, method=0, quality=0),
        "bmp": saved("BMP", picture),
        "tiff": saved("TIFF", picture),
        "tiff, one strip": saved("TIFF", picture, **whole),
        "tiff, turned": saved("TIFF", picture, **whole, tiffinfo=turned),
        "tiff, float": saved("TIFF", Image.fromarray(grey.astype(np.float32)), **whole),
        "tiff, JPEG": saved("TIFF", picture, compression="jpeg", strip_size=2**31 - 1),
        "avif": saved("AVIF", clear, speed=10, subsampling="4:4:4"),
        "heic": saved("HEIF", picture),
        "jpeg xl, lossless": saved("JXL", clear, lossless=True, effort=1),
        "raw": raw_files.dng(picture),
        "raw, linear": raw_files.dng(picture, linear=True),
        "video": video([picture]),
        "heic, 10 bits": saved_heif(ten_bits),
    }


def saved_heif(file: pillow_heif.HeifFile) -> bytes:
    out = io.BytesIO()
    file.save(out, quality=50, chroma=444)
    return out.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux starts a process's peak anew")
def test_a_decode_holds_no_more_than_it_says(tmp_path: Path) -> None:
    paths = {}
    for name, content in files().items():
        paths[name] = tmp_path / name
        paths[name].write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "tests.decode_peaks", *paths.values()],
        cwd=ROOT,
        # Otherwise what is freed is kept, and does not count the second time.
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"},
        check=True,
        capture_output=True,
        text=True,
    )
    found = dict(zip(paths, json.loads(done.stdout), strict=True))
    too_little = {name: both for name, both in found.items() if both[1] > both[0] + _SLACK}
    too_much = {name: both for name, both in found.items() if both[0] > 4 * both[1] + _SLACK}
    print(json.dumps(found, indent=0))
    assert (too_little, too_much) == ({}, {})
