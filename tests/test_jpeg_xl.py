"""JPEG XL: its size before the decode, its own orientation, what it packs and what it cannot."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import pillow_jxl  # noqa: F401  # lets Pillow write it
import pytest
from PIL import ExifTags, Image

from library import jpeg_xl
from library.errors import PhotoError, PhotoTooLargeError
from tests.pictures import drawing
from tests.test_photos import _FORWARD, difference, exif_of, open_photo, save

PACKED = Path(__file__).parent / "jpeg_xl"
"""What libjxl's own cjxl packed: drawing(7, (96, 64)) from a PNG with orientation 6, drawing(3) in
16 bits of grey, drawing(5) in 16 bits a colour."""


def jxl(image: Image.Image, **options: object) -> bytes:
    return save(image, "JXL", effort=1, **options)


def test_a_picture_with_its_metadata() -> None:
    exif = exif_of(make="Canon", model="Canon EOS R5", taken="2019:07:31 18:02:11").tobytes()
    photo = open_photo(jxl(drawing(1), exif=exif))
    found = photo.metadata
    assert (found.format, found.width, found.height, found.frames) == ("JXL", 160, 120, 1)
    assert (found.camera, found.taken_at) == ("Canon EOS R5", "2019-07-31T18:02:11")
    assert found.latitude == pytest.approx(-33.8567, abs=1e-4)
    assert difference(photo.image, drawing(1)) < 8


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA"])
def test_modes(mode: str) -> None:
    picture = drawing(3)
    stored = jxl(picture.convert(mode), lossless=True)
    expected = picture if mode == "RGBA" else picture.convert("L")
    assert difference(open_photo(stored).image, expected) < 2


def test_sixteen_bits_keep_their_tones() -> None:
    grey = open_photo((PACKED / "grey16.jxl").read_bytes())
    assert difference(grey.image, drawing(3).convert("L")) < 2
    colours = open_photo((PACKED / "rgb16.jxl").read_bytes())
    assert difference(colours.image, drawing(5)) < 2


def test_transparency_lies_on_white() -> None:
    image = Image.new("RGBA", (200, 100), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 100, 100))
    photo = open_photo(jxl(image, lossless=True))
    assert photo.image.getpixel((10, 10)) == (255, 0, 0)
    assert photo.image.getpixel((photo.image.width - 10, 10)) == (255, 255, 255)


def test_the_orientation_of_the_codestream_is_applied_once() -> None:
    photo = open_photo((PACKED / "turned.jxl").read_bytes())
    assert (photo.metadata.width, photo.metadata.height) == (96, 64)
    assert difference(photo.image, drawing(7, (96, 64))) < 8


def test_exif_beside_a_codestream_turns_nothing() -> None:
    """ISO/IEC 18181-2: the codestream's orientation is the only one that counts."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    photo = open_photo(jxl(drawing(7, (96, 64)), exif=exif.tobytes()))
    assert (photo.metadata.width, photo.metadata.height) == (96, 64)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_packed_without_loss_is_turned_as_the_jpeg_was(
    orientation: int, tmp_path: Path
) -> None:
    upright = drawing(7, (320, 200))
    exif = exif_of(model="X-T4")
    exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / "one.jpg"
    _FORWARD[orientation](upright).save(path, exif=exif, quality=90)
    with Image.open(path) as jpeg, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the plugin tells everybody what it does
        photo = open_photo(save(jpeg, "JXL", effort=1))
    assert (photo.metadata.width, photo.metadata.height) == (320, 200)
    assert photo.metadata.camera == "X-T4"
    assert difference(photo.image, upright) < 12


@pytest.mark.parametrize(
    "size", [(1, 1), (8, 8), (256, 256), (320, 240), (333, 250), (513, 8), (3, 700), (1920, 1080)]
)
def test_the_size_is_read_before_anything_is_decoded(size: tuple[int, int]) -> None:
    data = jxl(Image.new("RGB", size, "teal"))
    header = jpeg_xl.read_header(io.BytesIO(data), data[:256])
    assert (header.width, header.height) == size


def test_a_codestream_in_parts() -> None:
    whole = jxl(drawing(1, (333, 250)), use_container=False)
    assert whole.startswith(b"\xff\x0a")
    boxes = [
        struct.pack(">I4sI", 12 + len(part), b"jxlp", number) + part
        for number, part in enumerate((whole[:3], whole[3:7]))
    ]
    last = struct.pack(">I4sI", 0, b"jxlp", 0x80000002) + whole[7:]
    start = b"\0\0\0\x0cJXL \r\n\x87\n" + struct.pack(">I4s4sI4s", 20, b"ftyp", b"jxl ", 0, b"jxl ")
    photo = open_photo(start + b"".join(boxes) + last)
    assert (photo.metadata.width, photo.metadata.height) == (333, 250)


def test_too_many_pixels_are_refused_by_the_header() -> None:
    large = jxl(Image.new("L", (1200, 900)))
    with pytest.raises(PhotoTooLargeError, match=r"1200 x 900 .*MAX_IMAGE_MEGAPIXELS"):
        open_photo(large, max_megapixels=1)


def test_damage_ends_in_an_error_that_says_so() -> None:
    whole = jxl(drawing(13))
    for tenth in range(10):
        with pytest.raises(PhotoError, match=r"^damaged: [a-zA-Z ]+$"):
            open_photo(b"\xff\x0a" + whole[2 : len(whole) * tenth // 10])
