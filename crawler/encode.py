"""Decoded pictures -> vectors, on a thread of the encoder's own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import numpy as np

from crawler.read import Decoded
from library.vectors import Vectors
from mlx_clip import Encoder

# The encoder cuts it into batches of its own: enough for each core to have one.
BATCH = max(8, 4 * (os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture with its vector, float32 (dim,)."""

    picture: Decoded
    vector: Vectors


class Encoding:
    """A thread that encodes pictures as they come: as many at a time as are ready.

    `done` is called in the thread with each batch, or with what the encoder raised, which ends it.
    """

    def __init__(
        self,
        encoder: Encoder,
        done: Callable[[list[Encoded] | BaseException], None],
        give_way: Callable[[], None],
    ) -> None:
        self._encoder = encoder
        self._done = done
        self._give_way = give_way
        self._waiting: SimpleQueue[Decoded | None] = SimpleQueue()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="encoder")

    def start(self) -> None:
        """Begin to encode."""
        self._thread.start()

    def add(self, picture: Decoded) -> None:
        """Have a picture encoded. Never waits; may be called from any thread."""
        self._waiting.put(picture)

    def stop(self) -> None:
        """Finish the batch in hand and end; what waits is dropped. May be called again."""
        self._stopped = True
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while (picture := self._waiting.get()) and not self._stopped:
                self._give_way()
                self._done(self._encoded([picture, *self._ready(BATCH - 1)]))
        except BaseException as error:  # the crawl raises it where it waits for the results
            self._done(error)

    def _ready(self, most: int) -> list[Decoded]:
        """What waits already."""
        ready: list[Decoded] = []
        try:
            while len(ready) < most and (picture := self._waiting.get_nowait()):
                ready.append(picture)
        except Empty:
            pass
        return ready

    def _encoded(self, pictures: list[Decoded]) -> list[Encoded]:
        matrix = self._encoder.encode_images(np.stack([picture.pixels for picture in pictures]))
        return [Encoded(*pair) for pair in zip(pictures, matrix, strict=True)]
