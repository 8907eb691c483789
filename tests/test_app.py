"""The command line of the site."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from library import lines, spaces
from library.database import Database
from tests.program import ROOT, program
from tests.web_fixtures import Library, own_library

__all__ = ["own_library"]


@pytest.mark.fault("SIGTERM and Ctrl-C")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_the_program_in_good_order(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    with program("--data", str(tmp_path)) as (process, _):
        process.send_signal(number)
        assert process.wait(30) == status
    assert not (tmp_path / "chroma.open").exists()


def test_the_line_of_relevance_is_found_before_anybody_searches(own_library: Library) -> None:
    database = Database(own_library.settings.database_path)
    (space,) = spaces.spaces(database.connection)
    assert lines.get(database.connection, space) is None
    with program("--data", str(own_library.settings.data_dir)), closing(database):
        deadline = time.monotonic() + 60
        while lines.get(database.connection, space) is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with program("--data", str(tmp_path / "a")) as (_, address):
        answer = run_program("--data", str(tmp_path / "b"), "--port", address.rsplit(":")[-1])
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert "--port" in answer.stderr


def test_an_unusable_model_is_one_sentence(tmp_path: Path) -> None:
    answer = run_program("--data", str(tmp_path), CLIP_MODEL=str(tmp_path / "nothing"))
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert "CLIP_MODEL" in answer.stderr


def run_program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
