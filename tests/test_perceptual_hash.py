"""Perceptual hashes: of what a crawl decodes, and of the thumbnails of older libraries."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance

from library import images
from library.database import Database
from library.models import Metadata
from library.perceptual_hash import of_thumbnail, perceptual_hash, reduced
from library.settings import Settings
from library.thumbnails import Thumbnails
from library.unhashed import Unhashed
from search.hamming import FARTHEST
from tests.conftest import CrawlFolders
from tests.crawled import rows
from tests.pictures import drawing, fill
from tests.web_fixtures import SAMPLES


def hash_of(image: Image.Image) -> int:
    return perceptual_hash(reduced(image))


def bits(one: int | None, other: int | None) -> int:
    assert one is not None
    assert other is not None
    return ((one ^ other) & (2**64 - 1)).bit_count()


def hashes(database: Database) -> dict[str, int | None]:
    found = dict(database.connection.execute("SELECT id, perceptual_hash FROM images").fetchall())
    return {name: found[image_id] for name, image_id in rows(database).items()}


def test_each_bit_says_whether_it_grows_brighter_to_the_right() -> None:
    steps = Image.new("L", (9, 8))
    steps.putdata([x * 9 if y % 2 else 80 - x * 9 for y in range(8) for x in range(9)])
    assert hash_of(steps.convert("RGB")) == 0x00FF00FF00FF00FF
    assert hash_of(steps.convert("RGB").transpose(Image.Transpose.FLIP_TOP_BOTTOM)) == (
        0xFF00FF00FF00FF00 - 2**64  # as SQLite stores it
    )


def test_the_noise_of_a_flat_picture_has_no_bits() -> None:
    flat = Image.new("L", (90, 80))
    flat.putdata([200 + 2 * ((x // 10 + y // 10) % 2) for y in range(80) for x in range(90)])
    assert hash_of(flat.convert("RGB")) == 0


def test_size_and_light_change_few_bits_and_another_picture_many() -> None:
    pictures = [Image.open(path).convert("RGB") for path in sorted(SAMPLES.glob("animals/*.jpg"))]
    first = [hash_of(picture) for picture in pictures]
    for picture, value in zip(pictures, first, strict=True):
        small = picture.resize((picture.width // 2, picture.height // 2))
        assert bits(value, hash_of(small)) <= 3
        assert bits(value, hash_of(ImageEnhance.Brightness(picture).enhance(1.08))) <= 4
    assert min(bits(*pair) for pair in itertools.combinations(first, 2)) > FARTHEST


def test_a_library_without_hashes_gets_them_from_its_thumbnails(
    crawl: CrawlFolders, database: Database, settings: Settings, photos_dir: Path
) -> None:
    fill(photos_dir, 6)
    drawing(7, (1600, 1200)).save(photos_dir / "large.jpg", quality=92)
    crawl(photos_dir)
    crawled = hashes(database)
    assert None not in crawled.values()
    thumbnails = Thumbnails(settings.thumbnail_dir)
    database.connection.execute("UPDATE images SET perceptual_hash = NULL")
    contents = [content for _, content in images.unhashed(database.connection, 0, 100)]
    thumbnails.remove(contents[1])
    thumbnails.path(contents[2]).write_bytes(b"no picture")
    thumbnails.path(contents[3]).write_bytes(thumbnails.path(contents[0]).read_bytes()[:400])

    unhashed = Unhashed(database, thumbnails)
    assert unhashed.hash_all() == 4
    derived = hashes(database)
    assert sum(value is None for value in derived.values()) == 3
    for name, value in derived.items():
        assert value is None or bits(value, crawled[name]) <= 2
    # What cannot be had is not tried again, until another process looks.
    thumbnails.path(contents[2]).write_bytes(thumbnails.path(contents[0]).read_bytes())
    assert unhashed.hash_all() == 0
    assert Unhashed(database, thumbnails).hash_all() == 1


def test_it_can_be_stopped_between_batches_and_goes_on(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("library.unhashed._BATCH", 4)
    contents = [number.to_bytes(16, "big") for number in range(10)]
    thumbnails = Thumbnails(settings.thumbnail_dir)
    with database.transaction() as connection:
        for content in contents:
            images.add(connection, content, Metadata(1, 1, "PNG", 1, 1, "#000000"))
    jpeg = io.BytesIO()
    drawing(0, (8, 8)).save(jpeg, "JPEG")
    for content in contents:
        thumbnails.write(content, jpeg.getvalue())
    unhashed = Unhashed(database, thumbnails)
    asked = iter((False, True))
    assert unhashed.hash_all(lambda: next(asked)) == 4
    assert unhashed.hash_all() == 6


def test_what_is_no_thumbnail_has_no_hash(tmp_path: Path) -> None:
    assert of_thumbnail(tmp_path / "missing.jpg") is None
    assert of_thumbnail(tmp_path) is None
