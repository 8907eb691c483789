"""The thread that MLX is used on."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlx_clip.mlx_thread import mlx_thread
from tests.test_checkpoints import HERE

ROOT = Path(__file__).parent.parent


def test_everything_is_done_on_one_thread_that_is_not_the_callers() -> None:
    with ThreadPoolExecutor(4) as pool:
        threads = set(pool.map(mlx_thread().run, [threading.get_ident] * 20))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_what_is_raised_there_is_raised_here_and_the_next_is_done() -> None:
    with pytest.raises(ZeroDivisionError):
        mlx_thread().run(divmod, 1, 0)
    assert mlx_thread().run(divmod, 7, 2) == (3, 1)


def test_a_process_that_used_mlx_ends_in_good_order() -> None:
    """Most of them would not if the thread ended with Python."""
    pytest.importorskip("mlx.core")
    arguments = ["embed", "--model", str(HERE / "clip"), "--runtime", "mlx", "--text", "a dog"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "mlx_clip", *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, "")
