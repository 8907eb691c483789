"""RAW photos: the embedded preview or the sensor's pixels, upright, with the container's metadata.

No camera's file is small and free enough to lie here, so the tests write DNGs, which LibRaw opens
as it opens a camera's. What marks the other makers' files is tested on their first bytes.
"""

from __future__ import annotations

import io
import struct

import pytest
from PIL import ExifTags, Image

from library import raw_exif
from library.errors import PhotoError, PhotoTooLargeError
from tests.pictures import drawing
from tests.raw_files import dng
from tests.test_photos import _FORWARD, difference, exif_of, open_photo, save

SIZE = (320, 200)
SENSOR, PREVIEW = drawing(1, SIZE), drawing(2, SIZE)


def test_the_embedded_preview_stands_for_a_raw_photo() -> None:
    found = open_photo(dng(drawing(1, (640, 400)), drawing(2, (480, 300))), least=256)
    assert difference(found.image, drawing(2, (480, 300))) < 5
    assert found.image.size == (480, 300)
    assert (found.metadata.width, found.metadata.height) == (640, 400)
    assert (found.metadata.format, found.metadata.frames) == ("DNG", 1)


def test_a_preview_is_decoded_at_a_part_of_its_size() -> None:
    found = open_photo(dng(SENSOR, drawing(2, (1600, 1000))))
    assert min(found.image.size) < 130


def test_date_camera_and_place_are_the_containers() -> None:
    exif = exif_of(make="Nobody", model="Nothing", taken="1999:01:01 00:00:00")
    found = open_photo(dng(SENSOR, PREVIEW, preview_exif=exif)).metadata
    assert found.taken_at == "2019-07-31T18:02:11"
    assert found.camera == "Kindred One"
    assert found.latitude == pytest.approx(-33.8567, abs=1e-4)
    assert found.longitude == pytest.approx(151.21, abs=1e-4)


@pytest.mark.parametrize("shown", ["preview", "sensor"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_applied_once(orientation: int, shown: str) -> None:
    lying = _FORWARD[orientation](SENSOR)
    preview = _FORWARD[orientation](PREVIEW) if shown == "preview" else None
    found = open_photo(dng(lying, preview, orientation))
    assert (found.metadata.width, found.metadata.height) == SIZE
    assert found.image.width > found.image.height
    if shown == "preview":
        assert difference(found.image, PREVIEW) < 12
    else:  # developed: other tones, the same shapes
        assert correlation(found.image, SENSOR) > 0.95


def correlation(left: Image.Image, right: Image.Image) -> float:
    import numpy as np

    small = [np.asarray(image.convert("L").resize((64, 40)), float) for image in (left, right)]
    return float(np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1])


def test_a_preview_that_says_how_it_lies_is_believed() -> None:
    """The camera turned the preview itself and not the sensor's pixels."""
    says = Image.Exif()
    says[ExifTags.Base.Orientation] = 1
    found = open_photo(dng(_FORWARD[6](SENSOR), PREVIEW, 6, preview_exif=says))
    assert (found.metadata.width, found.metadata.height) == SIZE
    assert difference(found.image, PREVIEW) < 12


def test_a_preview_with_exif_that_does_not_say_lies_as_the_sensor() -> None:
    silent = exif_of(make="Kindred")
    found = open_photo(dng(_FORWARD[8](SENSOR), _FORWARD[8](PREVIEW), 8, preview_exif=silent))
    assert difference(found.image, PREVIEW) < 12


def test_a_preview_that_is_too_small_is_passed_over() -> None:
    found = open_photo(dng(SENSOR, drawing(2, (80, 50))))
    assert found.image.size == (160, 100)  # half of the sensor's, which is more than the preview
    assert correlation(found.image, SENSOR) > 0.95


def test_a_small_preview_is_better_than_nothing() -> None:
    undecodable = dng(SENSOR, drawing(2, (80, 50)), compression=52546)
    found = open_photo(undecodable)
    assert difference(found.image, drawing(2, (80, 50))) < 12
    assert (found.metadata.width, found.metadata.height) == SIZE


def test_pixels_of_all_colours_are_developed_too() -> None:
    found = open_photo(dng(SENSOR, linear=True))
    assert correlation(found.image, SENSOR) > 0.95


def test_the_limit_is_on_what_has_to_be_decoded() -> None:
    sensor = drawing(1, (1200, 1000))
    with pytest.raises(PhotoTooLargeError, match=r"1200 x 1000 .*MAX_IMAGE_MEGAPIXELS"):
        open_photo(dng(sensor), max_megapixels=1)
    with pytest.raises(PhotoTooLargeError):  # nothing is halved, so five times as much
        open_photo(dng(sensor, linear=True), max_megapixels=5)
    assert open_photo(dng(sensor), max_megapixels=2).metadata.width == 1200
    assert open_photo(dng(sensor, PREVIEW), max_megapixels=1).metadata.width == 1200


def test_a_tiff_that_libraw_does_not_know_is_a_tiff() -> None:
    """With directories inside, as photo editors write it: so it may be a RAW photo."""
    out = io.BytesIO()
    drawing(3).save(out, "TIFF", tiffinfo={330: 8})
    found = open_photo(out.getvalue())
    assert found.metadata.format == "TIFF"
    assert difference(found.image, drawing(3)) < 1


def test_what_is_cut_off_is_an_error_that_says_so() -> None:
    whole = dng(SENSOR)
    for tenth in range(1, 10):
        with pytest.raises(PhotoError, match=r"damaged|not a picture"):
            open_photo(whole[: len(whole) * tenth // 10])


def tiff(
    mark: bytes = b"II*\0", after: bytes = b"", make: bytes = b"", inner: bool = False
) -> bytes:
    """The first bytes of a TIFF-like file with one directory."""
    entries = [struct.pack("<HHII", 271, 2, len(make), 64)]
    if inner:
        entries.append(struct.pack("<HHII", 330, 4, 1, 200))
    start = 8 + len(after)
    head = mark + struct.pack("<I", start) + after
    head += struct.pack("<H", len(entries)) + b"".join(entries) + b"\0" * 4
    return head.ljust(64, b"\0") + make.ljust(200, b"\0")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"FUJIFILMCCD-RAW 0201".ljust(200, b"\0"), "RAF"),
        (struct.pack(">I8s", 24, b"ftypcrx ").ljust(200, b"\0"), "CR3"),
        (tiff(b"IIRO"), "ORF"),
        (tiff(b"IIRS"), "ORF"),
        (tiff(b"IIU\0"), "RW2"),
        (tiff(after=b"CR\2\0\0\0\0\0"), "CR2"),
        (tiff(make=b"NIKON CORPORATION\0", inner=True), "NEF"),
        (tiff(make=b"SONY\0", inner=True), "ARW"),
        (tiff(make=b"Hasselblad\0", inner=True), "RAW"),
        (tiff(make=b"NIKON CORPORATION\0"), None),
        (save(drawing(1), "TIFF"), None),
        (save(drawing(1), "JPEG"), None),
    ],
)
def test_makers_are_told_by_their_files_first_bytes(data: bytes, name: str | None) -> None:
    found = raw_exif.read(io.BytesIO(data), data[:256])
    assert (found.name if found else None) == name


def test_a_file_that_only_begins_like_a_raw_photo_is_an_error() -> None:
    with pytest.raises(PhotoError, match="a RAW photo that LibRaw cannot read: "):
        open_photo(b"FUJIFILMCCD-RAW 0201".ljust(2000, b"\0"))


def test_canons_boxes_say_when_where_and_with_what() -> None:
    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(content), kind) + content

    exif = exif_of(make="Canon", model="Canon EOS R6")
    details, gps = Image.Exif(), Image.Exif()
    details[ExifTags.Base.DateTimeOriginal] = "2021:05:06 07:08:09"
    gps.update(exif.get_ifd(ExifTags.IFD.GPSInfo))
    parts = {b"CMT1": exif, b"CMT2": details, b"CMT4": gps}
    uuid = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
    inner = b"".join(box(kind, part.tobytes()[6:]) for kind, part in parts.items())
    data = box(b"ftyp", b"crx \0\0\0\1crx isom") + box(b"moov", box(b"uuid", uuid + inner))
    found = raw_exif.read(io.BytesIO(data), data[:256])
    assert found is not None
    assert found.taken.camera == "Canon EOS R6"
    assert found.taken.taken_at == "2021-05-06T07:08:09"
    assert found.taken.latitude == pytest.approx(-33.8567, abs=1e-4)
