"""Work that is waited for, as long as it shows signs of life."""

from __future__ import annotations

import threading
import time

import pytest

from mlx_clip.patience import Beat, patiently


def test_the_result_or_the_error_of_the_work_comes_back() -> None:
    def fail(beat: Beat) -> None:
        raise KeyError("why")

    assert patiently(lambda _: 7, 5) == 7
    with pytest.raises(KeyError, match="why"):
        patiently(fail, 5)


def test_work_that_beats_is_waited_for() -> None:
    def slow(beat: Beat) -> str:
        for _ in range(10):
            time.sleep(0.1)
            beat()
        return "done"

    assert patiently(slow, 0.5) == "done"


def test_work_that_is_silent_is_left_behind_and_stopped_at_its_next_beat() -> None:
    go, stopped = threading.Event(), threading.Event()

    def silent(beat: Beat) -> None:
        go.wait()
        try:
            beat()
        except TimeoutError:
            stopped.set()
            raise

    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"nothing came for 0\.2 seconds"):
        patiently(silent, 0.2)
    assert time.monotonic() - began < 1
    go.set()
    assert stopped.wait(5)
