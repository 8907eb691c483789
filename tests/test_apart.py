"""Decoding in a process of its own gives what decoding here does, and survives what would not."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from library import photos
from library.apart import DecoderProcess
from library.errors import PhotoError, PhotoTooLargeError, PhotoTooSlowError
from library.memory import DECODING
from tests import bad_decoder
from tests.pictures import drawing
from tests.program import ROOT
from tests.web_fixtures import SAMPLES, wait_until

LEAST, MOST = 448, 64
_WAITS = """
import sys
from library.apart import DecoderProcess
process = DecoderProcess()
print(process._process.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def process() -> Iterator[DecoderProcess]:
    with closing(DecoderProcess()) as process:
        yield process


def here(path: Path) -> photos.Photo:
    """A file decoded by this process."""
    with path.open("rb") as stream:
        header = photos.read_header(stream, LEAST, MOST)
        return photos.decode(header, LEAST, path.stat().st_size)


def test_a_picture_is_what_it_is_here(process: DecoderProcess) -> None:
    paths = [path for path in sorted(SAMPLES.glob("animals/*")) if path.is_file()][:40]
    assert len({path.suffix for path in paths}) > 2
    for path in paths:
        expected = here(path)
        for source in (path, path.read_bytes()):
            photo = process.decode(source, LEAST, MOST)
            assert photo.image.tobytes() == expected.image.tobytes()
            assert (photo.image.size, photo.metadata) == (expected.image.size, expected.metadata)
            assert photo.profile == expected.profile


def test_what_is_no_picture_is_said_and_the_next_one_is_decoded(process: DecoderProcess) -> None:
    drawn = io.BytesIO()
    drawing(1).resize((3000, 3000)).save(drawn, "PNG")
    for source, kind, says in (
        (b"hello", PhotoError, "not a picture in a format"),
        (b"", PhotoError, "not a picture"),
        (Path("/no/such/picture"), OSError, "No such file"),
        (Path("/"), OSError, "directory"),
        (drawn.getvalue(), PhotoTooLargeError, "3000 x 3000 pixels"),
    ):
        with pytest.raises(kind, match=says):
            process.decode(source, LEAST, 1)
    assert process.is_alive
    assert process.decode(drawn.getvalue(), LEAST, MOST).metadata.width == 3000


def test_it_waits_until_there_is_memory(process: DecoderProcess) -> None:
    drawn = io.BytesIO()
    drawing(1).save(drawn, "PNG")
    with ThreadPoolExecutor(1) as pool:
        with DECODING.reserve(MOST, MOST):
            decoded = pool.submit(process.decode, drawn.getvalue(), LEAST, MOST)
            with pytest.raises(FutureTimeoutError):
                decoded.result(3)
        assert decoded.result(60).metadata.format == "PNG"


def test_a_decoder_that_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process, sound = with_bad_decoder(tmp_path, monkeypatch)
    assert process.decode(sound, LEAST, MOST).metadata.format == "JPEG"
    with pytest.raises(PhotoError, match=r"^crashes its decoder \(SIGSEGV\)$"):
        process.decode(sound + bad_decoder.CRASHES, LEAST, MOST)
    assert not process.is_alive


def test_a_decoder_that_hangs_with_pythons_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, sound = with_bad_decoder(tmp_path, monkeypatch)
    process.decode(sound, LEAST, MOST)
    monkeypatch.setattr(photos, "SECONDS", 1.0)
    with pytest.raises(PhotoTooSlowError, match="takes too long"):
        process.decode(sound + bad_decoder.HANGS, LEAST, MOST)
    assert not process.is_alive


def with_bad_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[DecoderProcess, bytes]:
    """A process that decodes by it, and a JPEG."""
    bad_decoder.install(tmp_path / "plugin")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "plugin"))
    out = io.BytesIO()
    drawing(1).save(out, "JPEG")
    return DecoderProcess(), out.getvalue()


def test_it_ends_with_whoever_started_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _WAITS],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert psutil.pid_exists(pid)
        os.kill(owner.pid, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(pid) or ended(pid))


def ended(pid: int) -> bool:
    """Whether it is one that nobody has waited for, as in a container without an init."""
    return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
