"""Opening pictures: every format and mode, orientation, metadata, damage."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image

from library import photos
from library.errors import PhotoError, PhotoTooLargeError
from library.photos import Photo
from tests.pictures import drawing

LEAST = 64


def open_photo(data: bytes, least: int = LEAST, max_megapixels: int = 50) -> Photo:
    header = photos.read_header(io.BytesIO(data), least, max_megapixels)
    return photos.decode(header, least, len(data))


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def difference(left: Image.Image, right: Image.Image) -> float:
    """Mean absolute difference of the pixels, of 255."""
    size = (64, 48)
    pair = [np.asarray(image.convert("RGB").resize(size), np.float64) for image in (left, right)]
    return float(np.abs(pair[0] - pair[1]).mean())


@pytest.mark.parametrize(
    ("kind", "name", "tolerance"),
    [
        ("JPEG", "JPEG", 5),
        ("PNG", "PNG", 1),
        ("GIF", "GIF", 12),
        ("WEBP", "WEBP", 8),
        ("BMP", "BMP", 1),
        ("TIFF", "TIFF", 1),
        ("AVIF", "AVIF", 8),
        ("HEIF", "HEIF", 8),
    ],
)
def test_formats(kind: str, name: str, tolerance: float) -> None:
    pillow_heif.register_heif_opener()
    picture = drawing(1)
    photo = open_photo(save(picture, kind))
    assert photo.metadata.format == name
    assert (photo.metadata.width, photo.metadata.height) == (160, 120)
    assert photo.metadata.frames == 1
    assert photo.image.mode == "RGB"
    assert difference(photo.image, picture) < tolerance


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF"])
def test_of_an_animation_the_first_frame_counts(kind: str) -> None:
    first, second = drawing(1), drawing(2)
    photo = open_photo(save(first, kind, save_all=True, append_images=[second]))
    assert photo.metadata.frames == 2
    assert difference(photo.image, first) < 12 < difference(second, first)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I;16"])
def test_modes(mode: str) -> None:
    picture = drawing(3)
    grey = mode in ("1", "L", "LA", "I;16")
    if mode == "I;16":
        values = np.asarray(picture.convert("L")).astype(np.uint16) << 8
        stored = Image.fromarray(values)
    elif mode == "PA":
        stored = picture.convert("P").convert("PA")
    else:
        stored = picture.convert(mode)
    photo = open_photo(save(stored, "TIFF" if mode in ("CMYK", "PA") else "PNG"))
    expected = picture.convert("L") if grey else picture
    assert difference(photo.image, expected) < (40 if mode in ("1", "P", "PA") else 3)


def test_a_cmyk_jpeg() -> None:
    picture = drawing(4)
    photo = open_photo(save(picture.convert("CMYK"), "JPEG", quality=95))
    assert difference(photo.image, picture) < 6


def test_sixteen_bit_rgb_keeps_its_colours() -> None:
    raw = np.asarray(drawing(5)).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in raw)
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 160, 120, 16, 2, 0, 0, 0))
    png += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert difference(open_photo(png).image, drawing(5)) < 2


def test_floating_point_pictures_are_stretched() -> None:
    values = np.linspace(-3.0, 7.0, 100 * 100, dtype=np.float32).reshape(100, 100)
    photo = open_photo(save(Image.fromarray(values), "TIFF"))
    assert photo.image.getpixel((0, 0)) == (0, 0, 0)
    assert photo.image.getpixel((99, 99)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF"])
def test_transparency_lies_on_white(kind: str) -> None:
    image = Image.new("RGBA", (200, 100), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 100, 100))
    photo = open_photo(save(image, kind))
    left, right = photo.image.getpixel((10, 50)), photo.image.getpixel((190, 50))
    assert isinstance(left, tuple) and isinstance(right, tuple)
    assert left[0] > 240 and max(left[1:]) < 15
    assert min(right) > 250


def test_a_palette_with_transparency_lies_on_white() -> None:
    image = drawing(6).convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    index = image.getpixel((0, 0))
    photo = open_photo(save(image, "PNG", transparency=index))
    assert photo.image.getpixel((0, 0)) == (255, 255, 255)


_FORWARD: dict[int, Callable[[Image.Image], Image.Image]] = {
    1: lambda image: image,
    2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
    4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
    7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright(kind: str, orientation: int) -> None:
    upright = drawing(7, (320, 200))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    photo = open_photo(save(_FORWARD[orientation](upright), kind, exif=exif))
    assert (photo.metadata.width, photo.metadata.height) == (320, 200)
    assert photo.image.width > photo.image.height
    assert difference(photo.image, upright) < 12


def test_transparent_pictures_are_turned_too() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    photo = open_photo(save(drawing(8, (200, 320)).convert("RGBA"), "PNG", exif=exif))
    assert (photo.metadata.width, photo.metadata.height) == (320, 200)
    assert photo.image.width > photo.image.height


def exif_of(**tags: object) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = tags.get("make", "")
    exif[ExifTags.Base.Model] = tags.get("model", "")
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = tags.get("taken", "")
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps.update({1: "S", 2: (33.0, 51.0, 24.0), 3: "E", 4: (151.0, 12.0, 36.0)})
    return exif


def test_date_camera_and_place_come_from_exif() -> None:
    exif = exif_of(make="Canon", model="Canon EOS R5", taken="2019:07:31 18:02:11")
    found = open_photo(save(drawing(9), "JPEG", exif=exif)).metadata
    assert found.taken_at == "2019-07-31T18:02:11"
    assert found.camera == "Canon EOS R5"
    assert found.latitude == pytest.approx(-33.8567, abs=1e-4)
    assert found.longitude == pytest.approx(151.21, abs=1e-4)


def test_a_maker_that_the_model_does_not_name_is_put_before_it() -> None:
    found = open_photo(save(drawing(9), "JPEG", exif=exif_of(make="FUJIFILM", model="X-T4")))
    assert found.metadata.camera == "FUJIFILM X-T4"
    exif = exif_of(make="NIKON CORPORATION", model="NIKON D2X")
    assert open_photo(save(drawing(9), "JPEG", exif=exif)).metadata.camera == "NIKON D2X"


@pytest.mark.parametrize(
    "taken", ["", "0000:00:00 00:00:00", "2019:13:01 00:00:00", "yesterday", "    :  :  "]
)
def test_a_date_that_is_none_is_left_out(taken: str) -> None:
    exif = exif_of(taken=taken)
    assert open_photo(save(drawing(9), "JPEG", exif=exif)).metadata.taken_at is None


def test_broken_exif_does_not_lose_the_picture() -> None:
    good = save(drawing(10), "JPEG", exif=exif_of(make="Canon", model="R5"))
    start = good.index(b"Exif\0\0") + 6
    for position in range(start, start + 120, 3):
        broken = good[:position] + b"\xff\xff" + good[position + 2 :]
        assert open_photo(broken).metadata.width > 0


def test_control_characters_in_exif_are_dropped() -> None:
    found = open_photo(save(drawing(9), "JPEG", exif=exif_of(model="X\x1b[31m\nY")))
    assert found.metadata.camera == "X[31m Y"


def test_a_large_jpeg_is_decoded_small_and_keeps_its_size_on_record() -> None:
    photo = open_photo(save(drawing(11, (1600, 1200)), "JPEG"), least=LEAST)
    assert (photo.metadata.width, photo.metadata.height) == (1600, 1200)
    assert photo.image.size == (100, 75)


def test_other_formats_are_reduced_but_never_below_what_is_needed() -> None:
    photo = open_photo(save(drawing(11, (1600, 1200)), "PNG"), least=LEAST)
    assert min(photo.image.size) >= LEAST
    assert max(photo.image.size) <= 4 * LEAST


def test_too_many_pixels_are_refused_by_their_header() -> None:
    huge = save(Image.new("1", (20_000, 6_000)), "PNG")
    with pytest.raises(PhotoTooLargeError, match="MAX_IMAGE_MEGAPIXELS"):
        open_photo(huge, max_megapixels=50)
    assert open_photo(huge, max_megapixels=300).metadata.width == 20_000


def test_a_jpeg_counts_by_what_is_decoded() -> None:
    large = save(drawing(12, (4000, 3000)), "JPEG")
    assert open_photo(large, max_megapixels=1).metadata.width == 4000


@pytest.mark.parametrize("size", [(1, 1), (20_000, 1), (1, 20_000), (3, 2)])
def test_odd_shapes(size: tuple[int, int]) -> None:
    photo = open_photo(save(Image.new("RGB", size, (9, 99, 199)), "PNG"))
    assert (photo.metadata.width, photo.metadata.height) == size
    thumb = Image.open(io.BytesIO(photos.thumbnail(photo)))
    assert max(thumb.size) <= photos.THUMBNAIL_SIZE
    assert photo.metadata.colour == "#0963c7"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"])
def test_a_file_that_was_cut_off_is_an_error_that_says_so(kind: str) -> None:
    whole = save(drawing(13), kind)
    for tenth in range(1, 8):
        with pytest.raises(PhotoError, match=r"damaged|not a picture"):
            open_photo(whole[: len(whole) * tenth // 10])


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 1000, b"GIF89a", b"%!PS-Adobe-3.0 EPSF\n", b"<svg/>"]
)
def test_what_is_no_picture_is_an_error(data: bytes) -> None:
    with pytest.raises(PhotoError, match=r"damaged|not a picture"):
        open_photo(data)


@pytest.mark.parametrize(
    ("size", "of_thumbnail"),
    # A whole fraction that is nearly as large will do.
    [((1300, 1000), (512, 394)), ((1500, 1000), (500, 334)), ((960, 720), (512, 384))],
)
def test_the_thumbnail_is_a_small_jpeg_of_the_picture(
    size: tuple[int, int], of_thumbnail: tuple[int, int]
) -> None:
    picture = drawing(14, size)
    photo = open_photo(save(picture, "PNG"), least=1024)
    jpeg = photos.thumbnail(photo)
    thumb = Image.open(io.BytesIO(jpeg))
    assert thumb.format == "JPEG"
    assert thumb.size == of_thumbnail
    assert difference(thumb, picture) < 6


def test_small_pictures_are_not_enlarged() -> None:
    photo = open_photo(save(drawing(15, (40, 30)), "PNG"))
    assert Image.open(io.BytesIO(photos.thumbnail(photo))).size == (40, 30)


@pytest.mark.parametrize("side", [16, 160])
def test_what_the_file_says_of_itself_stays_out_of_the_thumbnail(side: int) -> None:
    photo = open_photo(save(drawing(16), "JPEG", comment=b"for Anna only", xmp=b"<who>Anna</who>"))
    assert b"Anna" not in photos.thumbnail(photo, side)


def test_a_colour_profile_stays_with_the_thumbnail() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = open_photo(save(drawing(16), "JPEG", icc_profile=profile))
    thumb = Image.open(io.BytesIO(photos.thumbnail(photo)))
    assert thumb.info["icc_profile"] == profile
