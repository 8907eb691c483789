"""open_picture: any picture file, as models want it."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlx_clip import PictureError, open_picture
from tests.pictures import drawing

SAMPLES = Path(__file__).parent.parent / "samples"


def test_a_picture_is_turned_as_its_camera_was_held(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    drawing(1).save(tmp_path / "turned.png", exif=exif)
    upright = drawing(1).transpose(Image.Transpose.ROTATE_270)
    np.testing.assert_array_equal(open_picture(tmp_path / "turned.png"), upright)


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (4, 4), (200, 0, 0, 0))
    picture.putpixel((0, 0), (200, 0, 0, 255))
    picture.save(tmp_path / "clear.png")
    opened = open_picture(tmp_path / "clear.png")
    assert (opened.mode, opened.getpixel((0, 0)), opened.getpixel((1, 1))) == (
        "RGB",
        (200, 0, 0),
        (255, 255, 255),
    )


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_of_grey_keep_their_scale(ending: str, tmp_path: Path) -> None:
    ramp = (257 * np.arange(256)).astype(np.uint16).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / f"ramp.{ending}")
    opened = np.asarray(open_picture(tmp_path / f"ramp.{ending}"))
    np.testing.assert_array_equal(opened[..., 0].ravel(), np.arange(256))


def test_bytes_are_opened_as_their_file_is() -> None:
    path = SAMPLES / "animals" / "bear.png"
    opened = open_picture(io.BytesIO(path.read_bytes()), path)
    np.testing.assert_array_equal(opened, open_picture(path))


@pytest.mark.parametrize(
    "name", ["animals/crab.heic", "animals/heron.avif", "animals/camels.webp", "music/violin.tif"]
)
def test_whatever_is_damaged_is_a_picture_error(name: str) -> None:
    """Pillow's plugins raise RuntimeError and EOFError besides what its documentation names."""
    content, dice, refused = (SAMPLES / name).read_bytes(), random.Random(0), 0
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(dice.choice((1, 3, 30))):
            damaged[dice.randrange(min(1000, len(damaged)))] = dice.randrange(256)
        try:
            open_picture(io.BytesIO(damaged[: dice.choice((500, len(damaged)))]), name)
        except PictureError as error:
            refused += 1
            assert str(error).startswith(name)
    assert refused > 50
