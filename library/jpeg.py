"""JPEG's markers (ITU-T T.81, annex B), read before libjpeg sees them."""

from __future__ import annotations

from typing import BinaryIO

from library.errors import PhotoError

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset(range(0xD0, 0xD9)) | {0x01}
# Encoders make ten or so. Each is another pass over the whole picture, and may be ten bytes long.
_MOST_SCANS = 100
_MOST_MARKERS = 10_000
_CHUNK = 2**20


def is_jpeg(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a JPEG."""
    return head.startswith(b"\xff\xd8\xff")


def is_buffered(stream: BinaryIO) -> bool:
    """Whether its pixels come in several scans, so that libjpeg holds the coefficients of all.

    Raises PhotoError when there are more scans than anybody has made on purpose.
    """
    stream.seek(0)
    if _is_one_scan(stream):
        return False
    stream.seek(0)
    scans = 0
    while chunk := stream.read(_CHUNK):
        scans += chunk.count(bytes((0xFF, _SOS)))
    if scans > _MOST_SCANS:
        raise PhotoError(f"damaged: it comes in {scans} scans, where some ten are usual")
    return True


def _is_one_scan(stream: BinaryIO) -> bool:
    """Whether the first scan has all components, of a frame that is not progressive."""
    components = 0
    for _ in range(_MOST_MARKERS):
        marker = _next_marker(stream)
        if marker is None or marker == _EOI:
            return False
        if marker in _ALONE:
            continue
        content = stream.read(max(0, int.from_bytes(stream.read(2), "big") - 2))
        if marker in _PROGRESSIVE:
            return False
        if marker in _FRAMES and len(content) > 5:
            components = content[5]
        if marker == _SOS:
            return content[:1] == bytes((components,))
    return False


def _next_marker(stream: BinaryIO) -> int | None:
    """The next marker, after whatever lies before it; None at the end."""
    before = b""
    for _ in range(_MOST_MARKERS):
        byte = stream.read(1)
        if before == b"\xff" and byte not in (b"\xff", b"\0"):
            return byte[0] if byte else None
        if not byte:
            return None
        before = byte
    return None
