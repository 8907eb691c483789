"""Short videos that the tests write: each second another drawing."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping

import av
from PIL import Image

RATE = 10
"""Frames a second."""
_QUICK = {
    "h264": {"preset": "ultrafast"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}


def video(
    pictures: list[Image.Image],
    container: str = "mp4",
    codec: str = "h264",
    tags: Mapping[str, str] | None = None,
) -> bytes:
    """A video that shows each picture for a second, with a key frame every two seconds."""
    out = io.BytesIO()
    options = {"movflags": "use_metadata_tags"} if container == "mov" else {}
    with av.open(out, "w", format=container, options=options) as written:
        written.metadata.update(tags or {})
        stream = written.add_stream(codec, rate=RATE)
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "yuv420p"
        stream.options = _QUICK.get(codec, {})
        stream.codec_context.gop_size = 2 * RATE
        stream.codec_context.bit_rate = 4_000_000
        for picture in pictures:
            for _ in range(RATE):
                written.mux(stream.encode(av.VideoFrame.from_image(picture)))
        written.mux(stream.encode(None))
    return out.getvalue()


def with_matrix(data: bytes, a: int, b: int, c: int, d: int) -> bytes:
    """An MP4 or MOV whose players show (ax + cy, bx + dy) where (x, y) was."""
    place = data.index(b"tkhd") + 4 + 4 + 20 + 16  # ISO/IEC 14496-12, section 8.3.2, version 0
    matrix = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    return data[:place] + matrix + data[place + 36 :]
