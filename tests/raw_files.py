"""Small DNGs that the tests write: a mosaic of a drawing, a JPEG of another beside it."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SIGNED = 1, 2, 3, 4, 5, 10
_SIZES = {_BYTE: 1, _ASCII: 1, _SHORT: 2, _LONG: 4, _RATIONAL: 8, _SIGNED: 8}
_CODES = {_BYTE: "B", _SHORT: "H", _LONG: "I"}
# XYZ to linear sRGB, as a camera's matrix, in ten thousandths.
_MATRIX = (32405, -15371, -4985, -9693, 18760, 416, 556, -2040, 10572)


@dataclass
class Directory:
    """A TIFF directory: tags with their values, directories that tags point to, and pixels."""

    tags: dict[int, tuple[int, tuple[int, ...] | bytes]]
    inner: dict[int, Directory] = field(default_factory=dict)
    pixels: bytes = b""


def dng(
    sensor: Image.Image,
    preview: Image.Image | None = None,
    orientation: int = 1,
    preview_exif: Image.Exif | None = None,
    make: bytes = b"Kindred",
    linear: bool = False,
    compression: int = 1,
) -> bytes:
    """A DNG 1.4 whose sensor saw one picture and whose preview shows another, or none.

    Both as they lay in the camera: `orientation` is what makes them upright. With a `compression`
    other than 1 the sensor's pixels are said to be packed in a way that they are not.
    """
    main = Directory(
        {
            254: (_LONG, (0,)),
            271: (_ASCII, make + b"\0"),
            272: (_ASCII, b"One\0"),
            274: (_SHORT, (orientation,)),
            0xC612: (_BYTE, (1, 4, 0, 0)),  # DNGVersion
            0xC614: (_ASCII, b"Kindred One\0"),
            0xC621: (_SIGNED, tuple(n for value in _MATRIX for n in (value, 10000))),
            0xC628: (_RATIONAL, (1, 1) * 3),  # AsShotNeutral
            0xC65A: (_SHORT, (21,)),  # D65
        },
        {
            0x8769: Directory({36867: (_ASCII, b"2019:07:31 18:02:11\0")}),
            0x8825: Directory(
                {
                    1: (_ASCII, b"S\0"),
                    2: (_RATIONAL, (33, 1, 51, 1, 24, 1)),
                    3: (_ASCII, b"E\0"),
                    4: (_RATIONAL, (151, 1, 12, 1, 36, 1)),
                }
            ),
        },
    )
    main.tags |= _sensor_tags(sensor, linear) | {259: (_SHORT, (compression,))}
    main.pixels = _linear_light(sensor, linear)
    if preview is not None:
        main.inner[330] = _preview(preview, preview_exif)
    return b"II*\0" + _written(main, 4)


def _sensor_tags(image: Image.Image, linear: bool) -> dict[int, tuple[int, tuple[int, ...]]]:
    planes = 3 if linear else 1
    tags: dict[int, tuple[int, tuple[int, ...]]] = {
        256: (_LONG, (image.width,)),
        257: (_LONG, (image.height,)),
        258: (_SHORT, (16,) * planes),
        262: (_SHORT, (34892 if linear else 32803,)),
        277: (_SHORT, (planes,)),
        278: (_LONG, (image.height,)),
        0xC61D: (_SHORT if planes == 1 else _LONG, (65535,) * planes),
    }
    if not linear:
        tags |= {33421: (_SHORT, (2, 2)), 33422: (_BYTE, (0, 1, 1, 2))}  # RGGB
    return tags


def _linear_light(image: Image.Image, linear: bool) -> bytes:
    values = (np.asarray(image.convert("RGB"), np.float64) / 255) ** 2.2 * 65535
    if not linear:
        red, green, blue = values[:, :, 0], values[:, :, 1], values[:, :, 2]
        values = green.copy()
        values[::2, ::2] = red[::2, ::2]
        values[1::2, 1::2] = blue[1::2, 1::2]
    return bytes(values.astype("<u2").tobytes())


def _preview(image: Image.Image, exif: Image.Exif | None) -> Directory:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, exif=exif or b"")
    jpeg = out.getvalue()
    if exif:
        jpeg = jpeg[:2] + jpeg[20:]  # cameras write EXIF first of all, where Pillow has JFIF's part
    return Directory(
        {
            254: (_LONG, (1,)),
            256: (_LONG, (image.width,)),
            257: (_LONG, (image.height,)),
            258: (_SHORT, (8, 8, 8)),
            259: (_SHORT, (7,)),
            262: (_SHORT, (6,)),
            277: (_SHORT, (3,)),
            278: (_LONG, (image.height,)),
        },
        pixels=jpeg,
    )


def _written(directory: Directory, at: int) -> bytes:
    """The bytes from `at` on: the offset of the directory, what it points to, the directory."""
    body, tags = b"", dict(directory.tags)

    def put(content: bytes) -> int:
        nonlocal body
        body += b"\0" * (len(body) % 2)
        body += content
        return at + 4 + len(body) - len(content)

    for tag, inner in directory.inner.items():
        body += b"\0" * (len(body) % 2)
        written = _written(inner, at + 4 + len(body))
        tags[tag] = (_LONG, struct.unpack("<I", written[:4]))
        body += written
    if directory.pixels:
        tags[273] = (_LONG, (put(directory.pixels),))
        tags[279] = (_LONG, (len(directory.pixels),))
    entries = b""
    for tag, (kind, value) in sorted(tags.items()):
        content = value if isinstance(value, bytes) else _values(kind, value)
        place = content.ljust(4, b"\0") if len(content) <= 4 else struct.pack("<I", put(content))
        entries += struct.pack("<HHI", tag, kind, len(content) // _SIZES[kind]) + place
    start = put(struct.pack("<H", len(tags)) + entries + b"\0" * 4)
    return struct.pack("<I", start) + body


def _values(kind: int, values: tuple[int, ...]) -> bytes:
    code = {_RATIONAL: "I", _SIGNED: "i"}.get(kind) or _CODES[kind]
    return struct.pack(f"<{len(values)}{code}", *values)
