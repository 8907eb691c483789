"""The pipeline: what runs beside what, and how far ahead."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crawler import encode, pipeline, push
from crawler.crawl import Crawl, Summary
from library.database import Database
from library.settings import Settings
from mlx_clip import Encoder, load_encoder
from mlx_clip.encoder import Pixels, Vectors
from tests.crawled import rows
from tests.pictures import drawing, fill

LONG = 30.0
CrawlWith = Callable[[Encoder], Summary]


class Watched:
    """The real encoder, told of before each thing that it does."""

    def __init__(
        self,
        encoder: Encoder,
        before_preprocess: Callable[[Image.Image], None] = lambda image: None,
        before_encode: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._encoder = encoder
        self._before_preprocess = before_preprocess
        self._before_encode = before_encode
        self.name, self.space, self.dim = encoder.name, encoder.space, encoder.dim
        self.image_size, self.runtime = encoder.image_size, encoder.runtime
        self.family = encoder.family

    def preprocess(self, image: Image.Image) -> Pixels:
        self._before_preprocess(image)
        return self._encoder.preprocess(image)

    def encode_images(self, pixels: Pixels) -> Vectors:
        self._before_encode(len(pixels))
        return self._encoder.encode_images(pixels)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode_texts(texts)


@pytest.fixture(scope="module")
def tiny() -> Encoder:
    """A CLIP of a few thousand weights: what it costs is next to nothing."""
    encoder = load_encoder(str(Path(__file__).parent / "checkpoints" / "clip"), runtime="onnx")
    # Its threads stay: whoever counts threads finds them there.
    encoder.encode_images(np.stack([encoder.preprocess(drawing(0))] * encode.BATCH))
    return encoder


@pytest.fixture
def crawl_with(settings: Settings, database: Database, photos_dir: Path) -> CrawlWith:
    def run(encoder: Encoder) -> Summary:
        return Crawl(settings, database, encoder).run([os.fsencode(photos_dir)])

    return run


def test_a_slow_file_holds_up_nothing_but_itself(
    photos_dir: Path, tiny: Encoder, crawl_with: CrawlWith
) -> None:
    drawing(999, (320, 120)).save(photos_dir / "0.jpg")  # the first, and the only one of its shape
    fill(photos_dir, 20)
    others_done = threading.Event()
    encoded = 0

    def before_preprocess(image: Image.Image) -> None:
        if image.width > 2 * image.height:
            assert others_done.wait(LONG), "nothing was encoded while one file was being read"

    def before_encode(count: int) -> None:
        nonlocal encoded
        encoded += count
        if encoded == 20:
            others_done.set()

    assert crawl_with(Watched(tiny, before_preprocess, before_encode)).encoded == 21


def test_decoding_goes_on_beside_the_encoder_up_to_a_bound(
    photos_dir: Path, settings: Settings, tiny: Encoder, crawl_with: CrawlWith
) -> None:
    fill(photos_dir, pipeline.WINDOW + 40)
    decoded_meanwhile: list[int] = []

    def before_encode(count: int) -> None:
        if not decoded_meanwhile:  # the first batch takes until nothing more is decoded
            decoded_meanwhile.append(_settled(settings.thumbnail_dir))

    summary = crawl_with(Watched(tiny, before_encode=before_encode))
    assert summary.encoded == pipeline.WINDOW + 40
    assert decoded_meanwhile == [pipeline.WINDOW]


def _settled(thumbnails: Path) -> int:
    """How many thumbnails there are once no more are made."""
    count, since = -1, time.monotonic()
    while time.monotonic() - since < 0.5:
        now = len(list(thumbnails.glob("*/*.jpg")))
        if now != count:
            count, since = now, time.monotonic()
        time.sleep(0.01)
    return count


def test_the_encoder_takes_what_is_there_and_waits_for_no_full_batch(
    photos_dir: Path, tiny: Encoder, crawl_with: CrawlWith
) -> None:
    fill(photos_dir, 3)
    assert crawl_with(tiny).encoded == 3
    fill(photos_dir, 40)
    batches: list[int] = []
    crawl_with(Watched(tiny, before_encode=batches.append))
    assert sum(batches) == 37
    assert max(batches) <= encode.BATCH


@pytest.mark.fault("worker dies")
def test_an_encoder_that_fails_ends_the_crawl_and_loses_nothing_committed(
    photos_dir: Path, database: Database, tiny: Encoder, crawl_with: CrawlWith
) -> None:
    fill(photos_dir, 100)

    def fail_later(count: int) -> None:
        if any(rows(database).values()):
            raise MemoryError("no room for the model")

    threads = threading.active_count()
    with pytest.raises(MemoryError, match="no room"):
        crawl_with(Watched(tiny, before_encode=fail_later))
    assert threading.active_count() == threads
    known = sum(image_id is not None for image_id in rows(database).values())
    assert 0 < known < 100
    assert crawl_with(tiny).encoded == 100 - known


def test_copies_side_by_side_are_one_picture(
    photos_dir: Path, database: Database, tiny: Encoder, crawl_with: CrawlWith
) -> None:
    (path,) = fill(photos_dir, 1)
    for number in range(1, 20):
        (photos_dir / f"0000 ({number}).jpg").write_bytes(path.read_bytes())
    summary = crawl_with(tiny)
    assert (summary.pictures, summary.encoded, summary.indexed) == (1, 1, 1)
    assert set(rows(database).values()) == {1}


def test_the_index_is_fed_while_pictures_are_read(
    photos_dir: Path, database: Database, tiny: Encoder, crawl_with: CrawlWith
) -> None:
    for number in range(push.ENOUGH + 60):
        image = Image.fromarray(np.full((8, 8, 3), (number % 256, number // 256, 99), np.uint8))
        image.save(photos_dir / f"{number:04}.png")
    waited: list[bool] = []

    def before_encode(count: int) -> None:
        done, _ = _vectors_and_indexed(database)
        if done >= push.ENOUGH and not waited:
            waited.append(_becomes(lambda: _vectors_and_indexed(database)[1] >= push.ENOUGH))

    assert crawl_with(Watched(tiny, before_encode=before_encode)).indexed == push.ENOUGH + 60
    assert waited == [True]


def _vectors_and_indexed(database: Database) -> tuple[int, int]:
    connection = database.connection
    (indexed,) = connection.execute("SELECT count(*) FROM indexed_vectors").fetchone()
    (done,) = connection.execute("SELECT count(*) FROM vectors").fetchone()
    return done, indexed


def _becomes(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + LONG
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
