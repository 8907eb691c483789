"""The thread on which MLX loads and evaluates all models: its streams belong to threads."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import cache, partial
from queue import SimpleQueue
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class MlxThread:
    """A thread that does one thing after the other, and never ends.

    When a thread ends, MLX asks for the GIL to let go of what mx.compile kept for it. While Python
    ends it does not get it, and the whole process is aborted (mlx issues 4110 and 4347). A
    ThreadPoolExecutor ends its threads just then.
    """

    def __init__(self) -> None:
        self._work: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        threading.Thread(target=self._run, name="mlx", daemon=True).start()
        atexit.register(self._rest)

    def run(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """Call a function there; gives or raises what it does."""
        future: Future[_Result] = Future()
        self._work.put((future, partial(function, *arguments)))
        return future.result()

    def _run(self) -> None:
        while True:
            future, call = self._work.get()
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)
            del future, call  # what was returned is not kept until there is more to do

    def _rest(self) -> None:
        """Wait until the thread waits for work: as long as it runs, Python must not end."""
        with suppress(KeyboardInterrupt):  # whoever is in such a hurry is let go
            self.run(lambda: None)
            time.sleep(0.01)  # from its answer to its waiting


mlx_thread = cache(MlxThread)
"""The one thread, which is started when it is first asked for."""
