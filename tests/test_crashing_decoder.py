"""A picture that crashes its decoder: a crawl ends, and the next one knows which it was; the site
tells whoever sent it, and goes on.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from crawler.in_hand import InHand
from library import files
from library.database import Database
from tests import bad_decoder
from tests.pictures import drawing
from tests.program import ROOT, program


def crawl(photos: Path, data: Path, plugin: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "faulthandler=0", "-m", "crawler", str(photos), "--json"]
    return subprocess.run(
        [*command, "--data", str(data)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(plugin), "CLIP_MODEL": "starter"},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.fault("decoder crashes")
def test_the_next_crawl_leaves_alone_what_crashed_the_last_one(tmp_path: Path) -> None:
    photos, data, plugin = (tmp_path / name for name in ("photos", "data", "plugin"))
    photos.mkdir()
    bad_decoder.install(plugin)
    for number in range(30):
        drawing(number).save(photos / f"{number:02}.jpg")
    bad = photos / "15.jpg"
    bad.write_bytes(bad.read_bytes() + bad_decoder.CRASHES)

    assert crawl(photos, data, plugin).returncode == -signal.SIGSEGV
    assert (data / "in-hand").exists()
    again = crawl(photos, data, plugin)
    assert again.returncode == 0, again.stderr
    summary = json.loads(again.stdout.splitlines()[-1])
    assert (summary["pictures"], summary["failed"]) == (29, 1)
    with closing(Database(data / "library.sqlite")) as database:
        (failure,) = files.failures(database.connection)
    assert failure.path == os.fsencode(bad)
    assert failure.reason == "crashes its decoder (SIGSEGV)"
    assert not (data / "in-hand").exists()
    assert json.loads(crawl(photos, data, plugin).stdout.splitlines()[-1])["failed"] == 1


@pytest.mark.fault("decoder crashes")
def test_the_site_survives_an_upload_that_crashes_its_decoder(tmp_path: Path) -> None:
    bad_decoder.install(tmp_path / "plugin")
    path = tmp_path / "sound.jpg"
    drawing(1).save(path)
    sound = path.read_bytes()
    environment = {"PYTHONPATH": str(tmp_path / "plugin"), "CLIP_MODEL": "starter"}
    with program("--data", str(tmp_path / "data"), **environment) as (process, address):
        for _ in range(2):
            status, text = upload(address, sound + bad_decoder.CRASHES)
            assert (status, "crashes its decoder (SIGSEGV)" in text) == (400, True)
            status, text = upload(address, sound)
            assert (status, "vector" in text) == (200, True)
        assert process.poll() is None


@pytest.mark.fault("decoder crashes")
def test_the_site_survives_an_original_that_crashes_its_decoder(tmp_path: Path) -> None:
    """As after an update of a decoder: until now it could read the picture."""
    photos, data, plugin = (tmp_path / name for name in ("photos", "data", "plugin"))
    photos.mkdir()
    path = photos / "a.jpg"
    drawing(1).save(path)
    path.write_bytes(path.read_bytes() + bad_decoder.CRASHES)
    assert crawl(photos, data, tmp_path).returncode == 0
    (thumbnail,) = data.glob("thumbnails/*/*.jpg")
    thumbnail.unlink()
    bad_decoder.install(plugin)
    environment = {"PYTHONPATH": str(plugin), "CLIP_MODEL": "starter"}
    with program("--data", str(data), **environment) as (process, address):
        for made in ("thumb", "preview"):
            status, text = answer_of(urllib.request.Request(f"{address}/pictures/1/{made}"))
            assert (status, "crashes its decoder (SIGSEGV)" in text) == (404, True)
        assert process.poll() is None


def upload(address: str, content: bytes) -> tuple[int, str]:
    """Ask for a picture's vector; gives the answer's status and text."""
    body = b"--cut\r\nContent-Disposition: form-data; name=image; filename=a.jpg\r\n\r\n"
    request = urllib.request.Request(
        f"{address}/api/v1/embed",
        body + content + b"\r\n--cut--\r\n",
        {"Content-Type": "multipart/form-data; boundary=cut"},
    )
    return answer_of(request)


def answer_of(request: urllib.request.Request) -> tuple[int, str]:
    """Its status and text, whether it is an error or not."""
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_what_was_in_hand_is_suspected_until_it_is_tried(tmp_path: Path) -> None:
    path, long = tmp_path / "in-hand", b"/" + b"x" * 4094
    first = InHand(path)
    with first.holding(b"/a"), first.holding(long):
        with first.holding(b"/done"):
            pass
        second = InHand(path)  # as after the end of the process
        with second.holding(b"/b"):
            third = InHand(path)
    suspects = (b"/a", long, b"/b")
    assert all(third.is_suspect(one) for one in suspects)
    assert not third.is_suspect(b"/done")
    third.tried(b"/a")
    third.close()
    assert [InHand(path).is_suspect(one) for one in suspects] == [False, True, True]


def test_nothing_in_hand_leaves_no_file(tmp_path: Path) -> None:
    in_hand = InHand(tmp_path / "in-hand")
    with in_hand.holding(b"/a"):
        pass
    in_hand.close()
    assert list(tmp_path.iterdir()) == []
