"""The pipeline: files are read ahead by threads, encoded by another, committed by the batch.

    work -> readers -> encoder -> one transaction a batch
                 \\-----------/    what needs no encoding

The encoder takes whatever is decoded as soon as it is free, so a slow file holds up nothing but
itself, and a window bounds how far the readers run ahead of the commits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from queue import Empty, SimpleQueue

from crawler.commit import Result
from crawler.encode import BATCH, Encoded, Encoding
from crawler.read import Decoded, Outcome
from library.models import Work
from mlx_clip import Encoder

# Twice the cores: half of the threads may wait for the disk while the others decode.
READERS = min(32, 2 * (os.cpu_count() or 1))
WINDOW = READERS + 4 * BATCH
"""Files that may be between the file list and the database at any time."""
_BATCH = 16
# What needs no encoding (copies, damaged files) comes quickly and is committed by the hundred.
_LARGEST_BATCH = 256
# With an encoder of one picture a second, progress and safety are worth a transaction each.
_LONGEST_WAIT_SECONDS = 1.0


class Pipeline:
    """Reads, decodes and encodes files, all at once. Leaving the context ends its threads.

    `read` is called from several threads.
    `give_way` is called before each file is read, and each batch encoded.
    """

    def __init__(
        self,
        read: Callable[[Work], Outcome],
        encoder: Encoder,
        cancelled: Callable[[], bool],
        give_way: Callable[[], None] = lambda: None,
    ) -> None:
        self._read = read
        self._cancelled = cancelled
        self._finished: SimpleQueue[Sequence[Result] | BaseException] = SimpleQueue()
        self._give_way = give_way
        self._encoding = Encoding(encoder, self._finished.put, give_way)
        self._pool = ThreadPoolExecutor(READERS, "reader")

    def __enter__(self) -> Pipeline:
        self._encoding.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def batches(self, work: Iterator[Work]) -> Iterator[list[Result]]:
        """What became of the files, as many at a time as one transaction should commit.

        Raises what the encoder or a reader raised. Once it is cancelled, what was read and not
        encoded is dropped: the next crawl reads it again.
        """
        batch: list[Result] = []
        due = time.monotonic() + _LONGEST_WAIT_SECONDS
        in_flight = 0
        while not self._cancelled() and (in_flight := self._read_ahead(work, in_flight)):
            arrived = self._arrived(due - time.monotonic())
            in_flight -= len(arrived)
            batch += arrived
            if _is_full(batch) or time.monotonic() >= due:
                yield batch
                batch, due = [], time.monotonic() + _LONGEST_WAIT_SECONDS
        self._stop()
        yield batch + self._arrived(0)

    def _stop(self) -> None:
        """End the threads, each with what it has in hand."""
        self._pool.shutdown(cancel_futures=True)
        self._encoding.stop()

    def _read_ahead(self, work: Iterator[Work], in_flight: int) -> int:
        """Fill the window; gives how many files are in it."""
        for item in islice(work, WINDOW - in_flight):
            self._pool.submit(self._take, item)
            in_flight += 1
        return in_flight

    def _take(self, work: Work) -> None:
        try:
            self._give_way()
            outcome = self._read(work)
            if isinstance(outcome, Decoded):
                self._encoding.add(outcome)
            else:
                self._finished.put([outcome])
        except BaseException as error:  # a full disk, say: it is raised where the results are
            self._finished.put(error)

    def _arrived(self, seconds: float) -> list[Result]:
        """What has finished; waits `seconds` at most when nothing has."""
        results: list[Result] = []
        try:
            finished = self._finished.get(timeout=max(0.0, seconds))
            while True:
                if isinstance(finished, BaseException):
                    raise finished
                results += finished
                finished = self._finished.get_nowait()
        except Empty:
            return results


def _is_full(batch: list[Result]) -> bool:
    encoded = sum(isinstance(result, Encoded) for result in batch)
    return encoded >= _BATCH or len(batch) >= _LARGEST_BATCH
