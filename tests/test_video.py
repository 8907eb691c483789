"""Videos: one frame of each, the right way up, whatever the file is like."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from contextlib import suppress

import av
import pytest
from PIL import Image

from library.errors import PhotoError, PhotoTooLargeError
from library.photos import Photo
from tests.pictures import drawing
from tests.test_photos import difference, open_photo
from tests.videos import video, with_matrix

SIZE = (320, 200)
# The first second, the second in which a tenth of twelve seconds lies, and ten more.
SCENES = [drawing(seed, SIZE) for seed in range(12)]


@pytest.fixture(scope="module")
def mp4() -> bytes:
    return video(SCENES)


@pytest.fixture(scope="module")
def webm() -> bytes:
    return video(SCENES, "webm", "libvpx-vp9")


def test_the_frame_at_a_tenth_of_its_length_stands_for_a_video(mp4: bytes, webm: bytes) -> None:
    mov = video(SCENES, "mov", "mpeg4")
    for data, name, frames in ((mp4, "MP4", 120), (mov, "MOV", 120), (webm, "WEBM", 1)):
        photo = open_photo(data)
        assert photo.metadata.format == name
        assert (photo.metadata.width, photo.metadata.height) == SIZE
        assert photo.metadata.frames == frames
        assert difference(photo.image, SCENES[1]) < 12 < difference(photo.image, SCENES[0])


def test_a_large_video_is_decoded_small_and_keeps_its_size_on_record() -> None:
    photo = open_photo(video([drawing(1, (1280, 720))], codec="mpeg4"))
    assert (photo.metadata.width, photo.metadata.height) == (1280, 720)
    assert min(photo.image.size) == 66  # an eleventh, at least 64
    assert difference(photo.image, drawing(1, (1280, 720))) < 12


_TURNED: list[tuple[tuple[int, int, int, int], Image.Transpose]] = [
    ((0, 1, -1, 0), Image.Transpose.ROTATE_270),
    ((-1, 0, 0, -1), Image.Transpose.ROTATE_180),
    ((0, -1, 1, 0), Image.Transpose.ROTATE_90),
    ((-1, 0, 0, 1), Image.Transpose.FLIP_LEFT_RIGHT),
    ((1, 0, 0, -1), Image.Transpose.FLIP_TOP_BOTTOM),
    ((0, 1, 1, 0), Image.Transpose.TRANSPOSE),
    ((0, -1, -1, 0), Image.Transpose.TRANSVERSE),
]


@pytest.mark.parametrize(("matrix", "turn"), _TURNED, ids=[turn.name for _, turn in _TURNED])
def test_the_display_matrix_is_followed(
    mp4: bytes, matrix: tuple[int, int, int, int], turn: Image.Transpose
) -> None:
    photo = open_photo(with_matrix(mp4, *matrix))
    expected = SCENES[1].transpose(turn)
    assert (photo.metadata.width, photo.metadata.height) == expected.size
    assert difference(photo.image, expected) < 12


def tagged(tags: Mapping[str, str], container: str = "mov") -> Photo:
    return open_photo(video(SCENES[:1], container, "mpeg4", tags))


def test_date_camera_and_place_come_from_apples_tags() -> None:
    found = tagged(
        {
            "creation_time": "2020-02-03T04:05:06.000000Z",
            "com.apple.quicktime.creationdate": "2020-02-03T13:05:06+0900",
            "com.apple.quicktime.make": "Apple",
            "com.apple.quicktime.model": "iPhone 12",
            "com.apple.quicktime.location.ISO6709": "+37.5665-126.9780+038.0/",
        }
    ).metadata
    assert found.taken_at == "2020-02-03T13:05:06"
    assert found.camera == "Apple iPhone 12"
    assert (found.latitude, found.longitude) == (37.5665, -126.978)


def test_a_date_in_utc_is_told_in_the_time_of_this_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    try:
        found = tagged({"creation_time": "2020-02-03T20:05:06.000000Z"}, "mp4").metadata
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found.taken_at == "2020-02-04T05:05:06"


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("com.apple.quicktime.creationdate", "soon"),
        ("com.apple.quicktime.creationdate", "1904-01-01T00:00:00+0000"),
        ("com.apple.quicktime.location.ISO6709", "+99.0000+200.0000/"),
        ("com.apple.quicktime.location.ISO6709", "+3733.5+12658.2/"),
        ("com.apple.quicktime.location.ISO6709", "home"),
    ],
)
def test_a_date_or_place_that_is_none_is_left_out(tag: str, value: str) -> None:
    found = tagged({tag: value}).metadata
    assert (found.taken_at, found.latitude, found.longitude) == (None, None, None)


def test_too_many_pixels_are_refused_by_the_header(mp4: bytes) -> None:
    large = video([drawing(1, (1920, 1080))], codec="mpeg4")
    with pytest.raises(PhotoTooLargeError, match=r"1920 x 1080 .*MAX_IMAGE_MEGAPIXELS"):
        open_photo(large, max_megapixels=1)


def test_frames_larger_than_the_file_says_are_refused() -> None:
    """VP9 says a frame's size in each key frame; the container says the first one's."""
    small, large = (
        video([drawing(1, size)], "webm", "libvpx-vp9") for size in (SIZE, (1600, 1200))
    )
    growing = joined(small, large)
    assert open_photo(growing, max_megapixels=4).metadata.width == 1600
    found = open_photo(growing, max_megapixels=1)
    assert (found.metadata.width, found.metadata.height) == SIZE  # the first that may be decoded


def joined(first: bytes, second: bytes) -> bytes:
    """One frame of the first video, then the second, in the first one's track."""
    out = io.BytesIO()
    with (
        av.open(io.BytesIO(first)) as one,
        av.open(io.BytesIO(second)) as two,
        av.open(out, "w", format="webm") as written,
    ):
        track = written.add_stream_from_template(one.streams.video[0])
        packets = [next(one.demux(video=0)), *(p for p in two.demux(video=0) if p.size)]
        for number, packet in enumerate(packets):
            packet.stream, packet.pts, packet.dts = track, number * 100, number * 100
            written.mux(packet)
    return out.getvalue()


def test_without_a_known_length_the_first_frame_is_taken(webm: bytes) -> None:
    """As a browser records it."""
    length = webm.index(b"\x44\x89\x88")  # Duration, a float of eight bytes
    endless = webm[:length] + b"\xec\x89" + b"\0" * 9 + webm[length + 11 :]  # Void
    photo = open_photo(endless)
    assert difference(photo.image, SCENES[0]) < 12


def test_what_is_left_of_a_video_that_was_cut_off_is_used_or_said(mp4: bytes, webm: bytes) -> None:
    for tenth in range(1, 10):
        with pytest.raises(PhotoError, match=r"damaged|no pictures"):
            open_photo(mp4[: len(mp4) * tenth // 10])  # its index stands at the end
        assert open_photo(webm[: len(webm) * tenth // 10]).metadata.width == SIZE[0]


def test_damage_anywhere_ends_in_a_photo_or_an_error(
    mp4: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    for position in range(12, len(mp4), len(mp4) // 60):
        broken = mp4[:position] + b"\xff" * 8 + mp4[position + 8 :]
        with suppress(PhotoError):
            open_photo(broken)
    assert capfd.readouterr() == ("", "")  # FFmpeg likes to talk


def test_sound_alone_is_no_picture() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as written:
        stream = written.add_stream("aac", rate=44100)
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.rate = 44100
        for plane in frame.planes:
            plane.update(b"\0" * plane.buffer_size)
        written.mux(stream.encode(frame))
        written.mux(stream.encode(None))
    with pytest.raises(PhotoError, match="no pictures"):
        open_photo(out.getvalue())
