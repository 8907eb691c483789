"""A limit for what cannot be interrupted: decoders, which are C, and may take for ever."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from queue import SimpleQueue
from typing import TypeVar

from library.errors import PhotoTooSlowError

Result = TypeVar("Result")

_TICK = 1.0


class _Worker:
    """A thread that does one thing after another, and keeps no process from ending."""

    def __init__(self) -> None:
        self._given: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._run, name="decoder", daemon=True).start()

    def begin(self, work: Callable[[], Result]) -> Future[Result]:
        """Have `work` done."""
        done: Future[Result] = Future()
        self._given.put(lambda: _do(work, done))
        return done

    def end(self) -> None:
        """End the thread, once it has done what it was given."""
        self._given.put(None)

    def _run(self) -> None:
        while given := self._given.get():
            given()
            del given  # it holds a picture


# What is idle is used again: to start a thread takes as long as to decode a small picture.
_idle: deque[_Worker] = deque()


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """What `work` gives, done by another thread; whatever it raises is raised.

    Raises PhotoTooSlowError when it takes longer. That thread then goes on until the decoder comes
    back, if ever: nothing but the end of the process could stop it.
    """
    worker = _an_idle_one()
    done = worker.begin(work)
    left = seconds
    # By the tick: while the machine sleeps or the process is stopped, one passes at most.
    while left > 0 and not _is_done(done, min(left, _TICK)):
        left -= _TICK
    if done.done():
        _idle.append(worker)
        return done.result()
    worker.end()
    raise PhotoTooSlowError(f"takes too long: it was not decoded after {seconds:.0f} seconds")


def _an_idle_one() -> _Worker:
    try:
        return _idle.pop()
    except IndexError:
        return _Worker()


def _do(work: Callable[[], Result], done: Future[Result]) -> None:
    try:
        done.set_result(work())
    except BaseException as error:
        done.set_exception(error)


def _is_done(done: Future[Result], seconds: float) -> bool:
    """Whether it is, waiting so long for it."""
    try:
        done.exception(seconds)
    except FutureTimeoutError:
        return False
    return True
