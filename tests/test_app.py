"""The command line of the site."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import ROOT, program


@pytest.mark.fault("SIGTERM and Ctrl-C")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_the_program_in_good_order(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    with program("--data", str(tmp_path)) as (process, _):
        process.send_signal(number)
        assert process.wait(30) == status
    assert not (tmp_path / "chroma.open").exists()


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
