"""Videos, through PyAV (FFmpeg) where it is installed: the frame at a tenth of their length."""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from library import still, video_tags
from library.errors import PhotoError
from library.formats import VIDEO
from library.header import Loaded

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.sidedata.sidedata import SideData
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_EBML = b"\x1a\x45\xdf\xa3"  # Matroska and WebM
# What QuickTime files from before types begin with.
_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
# Pictures lie in the same boxes as videos, under these brands.
_PICTURES = frozenset(b"mif1 msf1 miaf heic heix heim heis hevc hevx hevm hevs avif avis".split())
_WHERE = 0.1
# From a key frame on: ten seconds at 30 frames a second, farther apart than they usually are.
_MOST_FRAMES = 300
_SECONDS = 20.0
# FFmpeg may decode a frame to know what it has before it. As many as 16K video has.
_MOST_PIXELS = 15360 * 8640
# A decoder keeps some four frames to predict others from, of 1.5 bytes a pixel; then it is turned
# into colours.
_HELD = 3
# The display matrix's a, b, c, d (x' = ax + cy, y' = bx + dy) by sign, as EXIF numbers it.
_ORIENTATIONS = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}


def is_video(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a video in one of VIDEO's containers."""
    if head[4:8] == b"ftyp":
        return not _PICTURES & set(_brands(head))
    return head.startswith(_EBML) or head[4:8] in _BOXES


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """A video whose streams are known, and no frame decoded yet."""

    container: InputContainer
    stream: VideoStream
    name: str
    least: int

    @property
    def width(self) -> int:
        """Pixels, before the display matrix is applied."""
        return self.stream.codec_context.width

    @property
    def height(self) -> int:
        """Pixels, before the display matrix is applied."""
        return self.stream.codec_context.height

    @property
    def megapixels(self) -> float:
        """What decoding one frame will hold in memory, in millions of pixels."""
        return _HELD * self.width * self.height / 1e6

    def load(self) -> Loaded:
        """Decode the frame at a tenth of its length, or the first one when that fails.

        Raises PhotoError when no frame can be decoded.
        """
        with self.container as container:
            frame = _chosen(container, self.stream)
            orientation, tags = _orientation(frame), container.metadata
            width, height = _displayed(self.stream, frame)
            frames = max(1, self.stream.frames)
        scale = max(1, min(width, height) // self.least)
        image = frame.to_image(width=-(-width // scale), height=-(-height // scale))
        size = still.upright(width, height, orientation)
        return Loaded(image, orientation, *size, self.name, frames, video_tags.taken(tags))


def read_header(stream: BinaryIO, head: bytes, least: int, max_megapixels: int) -> VideoHeader:
    """Open a video; its frame will have both sides above `least` pixels where it has them.

    Raises PhotoError when it is damaged or holds no pictures, or PyAV is not installed.
    """
    if not VIDEO.installed:
        raise PhotoError(VIDEO.needed)
    import av

    av.logging.set_level(None)  # its default: nothing is printed
    matroska = head.startswith(_EBML)
    try:
        # A container that is named is the only one tried: others may point to other files.
        container = av.open(
            stream,
            "r",
            format="matroska" if matroska else "mov",
            options={"max_pixels": str(_MOST_PIXELS)},
            metadata_errors="replace",
            timeout=_SECONDS,
        )
    except av.FFmpegError as error:
        raise PhotoError(f"damaged: {error.strerror}") from error
    found = [each for each in container.streams.video if _is_moving(each)]
    if not found:
        raise PhotoError("the video has no pictures")
    first = found[0]
    # Of the stream, which has the last word on its size; the container may have said less.
    most = min(_MOST_PIXELS, max_megapixels * 1_000_000)
    first.codec_context.options = {"max_pixels": str(most)}
    first.codec_context.thread_count = 1  # the readers are threads already
    return VideoHeader(container, first, _name(head), least)


def _brands(head: bytes) -> list[bytes]:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return [head[8:12], *(head[i : i + 4] for i in range(16, end, 4))]


def _name(head: bytes) -> str:
    if head.startswith(_EBML):
        return "WEBM" if b"webm" in head else "MATROSKA"
    return "MP4" if head[4:8] == b"ftyp" and head[8:12] != b"qt  " else "MOV"


def _is_moving(stream: VideoStream) -> bool:
    """Not the picture on a record's sleeve."""
    import av.stream

    sleeve = bool(stream.disposition & av.stream.Disposition.attached_pic)
    return not sleeve and bool(stream.codec_context and stream.codec_context.width)


def _chosen(container: InputContainer, stream: VideoStream) -> VideoFrame:
    import av

    until = time.monotonic() + _SECONDS
    start = (container.start_time or 0) / av.time_base
    seconds = start + _WHERE * (container.duration or 0) / av.time_base
    frame = _at(container, stream, seconds, until) or _at(container, stream, start, until)
    if frame is None:
        raise PhotoError("damaged: none of the video's frames can be decoded")
    return frame


def _at(
    container: InputContainer, stream: VideoStream, seconds: float, until: float
) -> VideoFrame | None:
    """The frame that is seen at a time, or one near it when that takes too long."""
    import av

    found = None
    try:
        container.seek(round(seconds * av.time_base))
        for number, frame in enumerate(_frames(container, stream, until)):
            if found and frame.time is not None and frame.time > seconds:
                break
            found = frame
            if number == _MOST_FRAMES:
                break
    except av.FFmpegError:
        pass  # what was decoded until then is good
    return found


def _frames(container: InputContainer, stream: VideoStream, until: float) -> Iterator[VideoFrame]:
    """Frames from where the container stands, damaged ones left out."""
    import av

    for packet in container.demux(stream):
        with contextlib.suppress(av.FFmpegError):
            yield from packet.decode()
        if time.monotonic() > until:
            return


def _orientation(frame: VideoFrame) -> int:
    data: SideData
    for data in frame.side_data:  # type: ignore[assignment]  # it says Mapping, and is a sequence
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
            signs = tuple((value > 0) - (value < 0) for value in (a, b, c, d))
            return _ORIENTATIONS.get(signs, 1)
    return 1


def _displayed(stream: VideoStream, frame: VideoFrame) -> tuple[int, int]:
    """The size of a frame where pixels are square."""
    shape = float(stream.sample_aspect_ratio or 1)
    if 1 < shape <= 4:
        return round(frame.width * shape), frame.height
    if 0.25 <= shape < 1:
        return frame.width, round(frame.height / shape)
    return frame.width, frame.height
