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
from flask.testing import FlaskClient

from crawler.crawl import Crawl, Summary
from library.database import Database
from library.errors import LibraryError
from library.models import Progress
from library.settings import Settings, load_settings
from mlx_clip import Encoder, EncoderError, load_encoder
from reliability.sameness import contents
from tests.pictures import fill
from tests.web_fixtures import crawl_folder, opened, wait_until
from web import site

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
    [
        ("", "scan"),
        ("", "index"),
        ("library.sqlite", "read"),
        ("thumbnails", "read"),
        ("chroma", "index"),
    ],
)
def test_a_full_disk_is_one_sentence_and_the_next_crawl_goes_on(
    part: str, stage: str, disk: Path, photos_dir: Path, tmp_path: Path, tiny: Encoder
) -> None:
    """The library, or a part of it, lies on the disk that is full from a stage on."""
    fill(photos_dir, PICTURES)
    data = tmp_path / "data" if part else disk
    if part:
        data.mkdir()
        if "." not in part:
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


@pytest.mark.fault("disk full")
def test_on_a_full_disk_the_site_still_shows_and_finds_everything(
    disk: Path, photos_dir: Path, encoder: Encoder
) -> None:
    fill(photos_dir, 8)
    settings = load_settings({"DATA_DIR": str(disk), "CLIP_MODEL": "starter"})
    crawl_folder(settings, encoder, photos_dir)
    next(disk.glob("thumbnails/*/*.jpg")).unlink()
    with opened(settings) as app:
        site.of(app).keeper.start()
        ballast = Ballast(disk)
        ballast.fill()
        client = app.test_client()
        hits = client.get("/api/v1/search?q=a+circle").get_json()["hits"]
        assert len(hits) == 8
        for hit in hits:
            for what in ("", "/thumb", "/file", "/preview"):
                with client.get(f"/pictures/{hit['id']}{what}") as answer:
                    assert answer.status_code == 200
        for page in ("/", "/search?q=a+circle", "/library", "/duplicates"):
            assert client.get(page).status_code == 200
        assert "Make room" in refusal(client, photos_dir)


def refusal(client: FlaskClient, folder: Path) -> str:
    """Why no crawl can be begun, or why it ended: SQLite may still have had room for its number."""
    answer = client.post("/api/v1/crawls", json={"folder": str(folder)})
    if answer.status_code == 503:
        return str(answer.get_json()["error"]["message"])
    url = answer.headers["Location"]
    wait_until(lambda: client.get(url).get_json()["state"] != "running")
    return str(client.get(url).get_json()["failure"])
