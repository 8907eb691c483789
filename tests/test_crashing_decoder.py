"""A picture that crashes its decoder: one crawl ends, the next one knows which it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from crawler.in_hand import InHand
from library import files
from library.database import Database
from tests.pictures import drawing
from tests.program import ROOT

# A decoder of JPEGs that a word in the file has read from address 0.
CRASHES = b"crash, please"
PLUGIN = f"""
import ctypes
from PIL import Image, JpegImagePlugin
Image.init()
def opened(stream, name):
    if {CRASHES!r} in stream.read():
        ctypes.string_at(0)
    stream.seek(0)
    return JpegImagePlugin.JpegImageFile(stream, name)
Image.register_open("JPEG", opened, lambda head: head[:2] == b"\\xff\\xd8")
"""


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
    for folder in (photos, plugin):
        folder.mkdir()
    (plugin / "sitecustomize.py").write_text(PLUGIN, encoding="utf-8")
    for number in range(30):
        drawing(number).save(photos / f"{number:02}.jpg")
    bad = photos / "15.jpg"
    bad.write_bytes(bad.read_bytes() + CRASHES)

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
