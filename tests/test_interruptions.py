"""The clock jumps, the machine sleeps, a process or a model dies: it goes on, or says why not."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from library import spaces
from library.database import Database
from library.index_files import IndexFiles
from mlx_clip import load_encoder
from reliability.kills import OWNERS
from reliability.owners import Place, Stage, command_line
from reliability.sameness import contents
from tests.indexes import DIM, add, opened
from tests.pictures import fill
from tests.program import ROOT
from tests.web_fixtures import wait_until

PICTURES = 100
# make reliability sleeps for a minute.
SLEEP_SECONDS = float(os.environ.get("KINDRED_SLEEP_SECONDS", "1.5"))
ENCODE: Stage = "encode"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    fill(tmp_path / "photos", PICTURES)
    return Place(tmp_path / "photos", tmp_path / "data")


@pytest.mark.fault("clock jumps back")
def test_a_clock_that_jumps_back_by_a_month_in_mid_crawl_changes_nothing(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    for name, value in faked_clock(clock).items():
        monkeypatch.setenv(name, value)
    with command_line(place) as running:
        wait_until(lambda: ENCODE in running.stages())
        clock.write_text("-30d")
        running.end()
    with command_line(place) as running:
        output, error = running.process.communicate(timeout=60)
    assert "Nothing to do" in error
    summary = json.loads(output)
    assert (summary["pictures"], summary["missing"], summary["indexed"]) == (PICTURES, 0, PICTURES)
    assert len(contents(place.data).vectors) == PICTURES


def faked_clock(clock: Path) -> dict[str, str]:
    """libfaketime, preloaded: the offset in a file is added to the clock, asked for anew each time.

    Neither the monotonic clock nor the times of files are touched, as no jump does.
    """
    found = importlib.util.find_spec("libfaketime")
    if found is None or not found.submodule_search_locations:
        pytest.skip("libfaketime is not installed")
    folder = Path(found.submodule_search_locations[0]) / "vendor" / "libfaketime" / "src"
    return {
        "LD_PRELOAD": str(folder / "libfaketime.so.1"),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def test_the_faked_clock_really_jumps(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("-30d")
    script = "import time; print(time.time(), time.monotonic())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **faked_clock(clock)},
        capture_output=True,
        text=True,
        check=True,
    )
    told, monotonic = map(float, done.stdout.split())
    assert time.time() - told > 29 * 86_400
    assert abs(time.monotonic() - monotonic) < 3_600


@pytest.mark.fault("machine sleeps")
@pytest.mark.parametrize("owner", OWNERS)
def test_stopped_in_mid_crawl_and_woken_later_it_goes_on(owner: str, place: Place) -> None:
    with OWNERS[owner](place) as running:
        wait_until(lambda: ENCODE in running.stages())
        running.process.send_signal(signal.SIGSTOP)
        time.sleep(SLEEP_SECONDS)
        running.process.send_signal(signal.SIGCONT)
        running.end()
    assert len(contents(place.data).vectors) == PICTURES


@pytest.mark.fault("worker dies")
def test_a_check_of_the_index_that_is_killed_counts_as_failed(database: Database) -> None:
    space = spaces.space(database.connection, "test@1/p1", DIM)
    matrix = add(database, space, 20)
    with opened(database, space) as index:
        index.push()
    IndexFiles(database.path.parent).set_owner("a process that was killed")
    killed = threading.Event()
    killer = threading.Thread(target=kill_the_check, args=(killed,))
    killer.start()
    with opened(database, space) as index:
        killer.join()
        assert killed.is_set()
        assert index.was_damaged
        index.push()
        assert index.query(matrix[3], 1)[0][1] > 0.999


def kill_the_check(killed: threading.Event) -> None:
    end = time.monotonic() + 30
    while not killed.is_set() and time.monotonic() < end:
        for child in psutil.Process().children():
            if "library.index_check" in child.cmdline():
                child.kill()
                killed.set()


@pytest.mark.fault("worker dies")
def test_a_model_that_fails_in_mid_crawl_is_a_sentence_and_the_next_crawl_goes_on(
    place: Place, tmp_path: Path
) -> None:
    load_encoder(place.environment["CLIP_MODEL"], runtime="onnx", cache=tmp_path / "cache")
    (sound,) = (tmp_path / "cache" / "onnx").glob("clip-*[0-9]")
    broken = shutil.copytree(sound, tmp_path / "broken")
    config = json.loads((broken / "config.json").read_text())
    config["image"]["size"] = 64  # which its graph does not take
    (broken / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "crawler", str(place.folder), "--data", str(place.data)]
    failed, done = (
        subprocess.run(
            [*command, "--model", str(model)], cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        for model in (broken, sound)
    )
    assert failed.returncode == 2
    assert f"the model in {broken} failed" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert done.returncode == 0
    assert f"{PICTURES:,} encoded" in done.stdout
