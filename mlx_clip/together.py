"""Together: what several threads want encoded at the same moment, encoded in one go.

Texts in one batch take less time than one by one, and batches that run at once only take the
processors from each other (`python -m bench encoder`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from mlx_clip.encoder import Vectors
from mlx_clip.errors import InputError

Encode = Callable[[Sequence[str]], Vectors]
_Job = tuple[Sequence[str], "Future[Vectors]"]


class Together:
    """Calls `encode`, n texts -> (n, dim), one call at a time with all that waited for the last."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._waiting: list[_Job] = []
        self._adding = threading.Lock()
        self._running = threading.Lock()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """The vectors (n, dim) of n texts. Raises what `encode` raises for these."""
        future: Future[Vectors] = Future()
        with self._adding:
            self._waiting.append((texts, future))
        with self._running:
            if not future.done():  # else whoever ran before has taken these along
                with self._adding:
                    jobs, self._waiting = self._waiting, []
                self._run(jobs)
        return future.result()

    def _run(self, jobs: Sequence[_Job]) -> None:
        try:
            found = self._encode([text for texts, _ in jobs for text in texts])
        except BaseException as error:
            if isinstance(error, InputError) and len(jobs) > 1:
                for job in jobs:  # one of them is at fault: the others must not suffer for it
                    self._run([job])
                return
            for _, future in jobs:
                future.set_exception(error)
            return
        for texts, future in jobs:
            future.set_result(found[: len(texts)])
            found = found[len(texts) :]
