"""A disk that is full, at each thing that is written: a sentence, no half files, and it goes on.

On a small disk of its own where one may be mounted. A limit on the size of files, which stands for
it everywhere, is in test_cli.py, test_convert.py and test_backup.py.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crawler.crawl import Crawl, Summary
from library.database import Database
from library.errors import LibraryError
from library.models import Progress
from library.settings import Settings, load_settings
from mlx_clip import Encoder, EncoderError, load_encoder
from reliability.sameness import contents
from tests.pictures import fill

PICTURES = 60
TINY = Path(__file__).parent / "checkpoints" / "clip"


@pytest.fixture
def disk() -> Iterator[Path]:
    """A disk of 12 MB; not below pytest's folder, which could not be removed if it stayed."""
    folder = Path(tempfile.mkdtemp(prefix="kindred-small-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        folder.rmdir()
        pytest.skip("no disk may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
    folder.rmdir()


@pytest.fixture(scope="module")
def tiny() -> Encoder:
    return load_encoder(str(TINY), runtime="onnx")


class Ballast:
    """Fills the disk of a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ballast"

    def fill(self) -> None:
        with self._path.open("ab", buffering=0) as file:
            for size in (100_000, 1):
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError:
                    pass

    def remove(self) -> None:
        self._path.unlink()


def crawled(
    settings: Settings, encoder: Encoder, folder: Path, stage: str, fill_up: Callable[[], None]
) -> Summary:
    """Crawl, and fill a disk up when a stage has begun."""
    database = Database(settings.database_path)

    def report(progress: Progress) -> None:
        if progress.stage == stage:
            fill_up()

    with closing(database), database.in_words():
        return Crawl(settings, database, encoder, report).run([os.fsencode(folder)])


@pytest.mark.fault("disk full")
@pytest.mark.parametrize(
    ("part", "stage"),
    [("", "scan"), ("", "read"), ("", "index"), ("thumbnails", "read"), ("chroma", "index")],
)
def test_a_full_disk_is_one_sentence_and_the_next_crawl_goes_on(
    part: str, stage: str, disk: Path, photos_dir: Path, tmp_path: Path, tiny: Encoder
) -> None:
    """The library, or a part of it, lies on the disk that is full from a stage on."""
    fill(photos_dir, PICTURES)
    data = tmp_path / "data" if part else disk
    if part:
        data.mkdir()
        (disk / part).mkdir()
        (data / part).symlink_to(disk / part)
    settings = load_settings({"DATA_DIR": str(data), "CLIP_MODEL": "starter"})
    ballast = Ballast(disk)
    try:
        said = crawled(settings, tiny, photos_dir, stage, ballast.fill).index_note
    except LibraryError as error:
        said = str(error)
    assert said
    assert str(data) in said
    assert "Make room" in said
    assert not list(data.glob("thumbnails/*/*[!g]"))
    ballast.remove()
    summary = crawled(settings, tiny, photos_dir, "", ballast.fill)
    assert (summary.pictures, summary.indexed, summary.failed) == (PICTURES, PICTURES, 0)
    assert len(contents(data).thumbnails) == PICTURES


@pytest.mark.fault("disk full")
def test_a_full_disk_leaves_no_half_model(disk: Path) -> None:
    ballast = Ballast(disk)
    ballast.fill()
    with pytest.raises(EncoderError, match=r"Make room there") as raised:
        load_encoder(str(TINY), runtime="onnx", cache=disk)
    assert str(disk) in str(raised.value)
    assert not list(disk.rglob("*.onnx"))
    ballast.remove()
    assert load_encoder(str(TINY), runtime="onnx", cache=disk).encode_texts(["a cat"]).any()
