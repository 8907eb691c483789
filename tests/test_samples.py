import re
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
LICENCES = SAMPLES / "LICENSES.md"
PICTURES = sorted(path for path in SAMPLES.rglob("*") if path.is_file() and path != LICENCES)


def _name(picture: Path) -> str:
    return picture.relative_to(SAMPLES).as_posix()


def _rows() -> list[list[str]]:
    """The cells of each row of the table, without the heading."""
    lines = LICENCES.read_text(encoding="utf-8").splitlines()
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("| `")]


def _frames(picture: Path) -> int:
    with Image.open(picture) as opened:
        return int(getattr(opened, "n_frames", 1))


def test_every_picture_has_a_row_and_every_row_a_picture() -> None:
    listed = [row[0].strip(" `") for row in _rows()]
    assert sorted(listed) == sorted(map(_name, PICTURES))


def test_every_row_names_an_author_a_licence_a_package_and_an_original() -> None:
    incomplete = [row for row in _rows() if len(row) != 5 or not all(cell.strip() for cell in row)]
    assert incomplete == []


def test_there_are_enough_pictures_and_they_stay_small() -> None:
    assert len(PICTURES) >= 180
    assert sum(path.stat().st_size for path in PICTURES) < 8_000_000


def test_the_formats_people_have_are_among_them() -> None:
    suffixes = {path.suffix for path in PICTURES}
    assert suffixes == {
        ".avif", ".bmp", ".gif", ".heic", ".jpg", ".png", ".tif", ".webp",
    }  # fmt: skip


def test_one_gif_is_animated() -> None:
    assert sum(_frames(path) > 1 for path in PICTURES if path.suffix == ".gif") == 1


def test_one_picture_is_there_twice_under_two_names() -> None:
    contents = [path.read_bytes() for path in PICTURES]
    assert len(contents) - len(set(contents)) == 1


@pytest.mark.parametrize("picture", PICTURES, ids=_name)
def test_a_picture_opens_and_decodes(picture: Path) -> None:
    pillow_heif.register_heif_opener()
    with Image.open(picture) as opened:
        opened.load()
        assert max(opened.size) <= 1000
