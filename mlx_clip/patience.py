"""Waiting for something that may never end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")
Beat = Callable[[], None]


def patiently(work: Callable[[Beat], T], seconds: float) -> T:
    """The result of `work`, or its exception; TimeoutError when `seconds` pass without a beat.

    The timeouts of an HTTP client bound one read each: a server that sends a byte a second, or a
    name server that never answers, outlasts them all. So the work is done in a thread of its own,
    which can be left behind; there, the next beat raises, so that it touches no file any more.
    """
    outcome: Future[T] = Future()
    ended: SimpleQueue[bool] = SimpleQueue()
    left = threading.Event()

    def beat() -> None:
        if left.is_set():
            raise TimeoutError("nobody waits for this any more")
        ended.put(False)

    def run() -> None:
        try:
            outcome.set_result(work(beat))
        except BaseException as error:
            outcome.set_exception(error)
        ended.put(True)

    threading.Thread(target=run, name="patiently", daemon=True).start()
    try:
        while not ended.get(timeout=seconds):
            pass
    except Empty:
        raise TimeoutError(f"nothing came for {seconds:g} seconds") from None
    finally:
        left.set()
    return outcome.result()
