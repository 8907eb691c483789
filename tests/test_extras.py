"""What needs a package of its own: with it from many threads at once, without it by a sentence."""

from __future__ import annotations

import io
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pillow_jxl  # noqa: F401  # lets Pillow write it
import pytest
from flask.testing import FlaskClient

from library import formats
from library.apart import DecoderProcess
from library.errors import PhotoError
from library.models import Metadata
from tests.pictures import drawing
from tests.raw_files import dng
from tests.test_photos import difference, open_photo, save
from tests.videos import video
from tests.web_fixtures import empty_client
from web import pictures

__all__ = ["empty_client"]

SIZE = (320, 200)


@pytest.fixture
def without_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where none of the packages is installed."""
    for extra in formats.EXTRAS:
        monkeypatch.setitem(sys.modules, extra.module, None)


VIDEO = video([drawing(1, SIZE)], codec="mpeg4")
JPEG_XL = save(drawing(1, SIZE), "JXL", effort=1)
FILES = {"av": VIDEO, "pillow-jxl-plugin": JPEG_XL, "rawpy": b"FUJIFILMCCD-RAW ".ljust(200, b"\0")}


def test_with_the_packages_their_formats_are_read() -> None:
    assert formats.readable() > formats.PICTURES
    assert {b".cr3", b".jxl", b".mov"} <= formats.readable()


def test_without_them_the_others_are(without_extras: None) -> None:
    assert formats.readable() == formats.PICTURES
    for kind in ("JPEG", "PNG", "TIFF", "AVIF"):
        assert difference(open_photo(save(drawing(1), kind)).image, drawing(1)) < 12


@pytest.mark.parametrize("package", sorted(FILES))
def test_without_a_package_its_files_are_an_error_that_names_it(
    without_extras: None, package: str
) -> None:
    with pytest.raises(PhotoError, match=f"python -m pip install {package}"):
        open_photo(FILES[package])


def test_without_libraw_a_dng_is_the_tiff_that_it_is_or_an_error(without_extras: None) -> None:
    with pytest.raises(PhotoError, match=r"damaged|not a picture"):
        open_photo(dng(drawing(1, SIZE), drawing(2, SIZE)))


def test_a_query_by_such_a_file_says_what_to_install(
    empty_client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = [extra.module for extra in formats.EXTRAS]
    without = f"import sys\nsys.modules.update(dict.fromkeys({missing}))\n"
    (tmp_path / "sitecustomize.py").write_text(without, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    started: deque[DecoderProcess] = deque()
    monkeypatch.setattr(pictures, "_idle", started)
    answer = empty_client.post("/search", data={"image": (io.BytesIO(VIDEO), "a.mp4")})
    for process in started:
        process.close()
    assert answer.status_code == 400
    assert b"python -m pip install av" in answer.data


def test_many_threads_read_them_at_once() -> None:
    files = [VIDEO, JPEG_XL, dng(drawing(3, SIZE)), dng(drawing(4, SIZE), drawing(5, SIZE))]

    def read(number: int) -> tuple[Metadata, bytes]:
        photo = open_photo(files[number % len(files)])
        return photo.metadata, photo.image.tobytes()

    alone = [read(number) for number in range(len(files))]
    with ThreadPoolExecutor(8) as pool:
        for number, found in enumerate(pool.map(read, range(80))):
            assert found == alone[number % len(files)]
