"""How much memory decodes may hold: what the machine has, and one budget for the whole process.

Counted in megapixels of four bytes each, as Pillow holds decoded RGB: see `decode_cost.py`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

BYTES_PER_MEGAPIXEL = 4_000_000
MOST_MEGAPIXELS = 100_000
"""The largest setting, 400 GB."""
# The least reads every photo of twelve megapixels; the most, a PNG of 16384 x 16384 pixels.
_LEAST, _MOST = 64, 1200
_SHARE = 4


@cache
def sensible_megapixels() -> int:
    """A quarter of the memory that is available, within bounds, in megapixels; measured once."""
    import psutil  # slow to import, and a crawl that decodes nothing need not pay

    available = int(psutil.virtual_memory().available)
    share = min(available, cgroup_limit() or available) // _SHARE
    return max(_LEAST, min(_MOST, share // BYTES_PER_MEGAPIXEL))


def cgroup_limit(
    own: Path = Path("/proc/self/cgroup"), mounted: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """The bytes that a container or a service may use at most, or None where nothing limits it."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:  # no Linux
        return None
    limits = []
    for _, kinds, path in (line.split(":", 2) for line in lines):
        if kinds in ("", "memory"):
            root = mounted / kinds
            group = root / path.strip("/")
            name = "memory.limit_in_bytes" if kinds else "memory.max"
            # Any group above may be the one that limits; in a container the path may be the host's.
            groups = [folder for folder in (group, *group.parents) if folder.is_relative_to(root)]
            limits += [_number(folder / name) for folder in groups]
    return min((limit for limit in limits if limit is not None), default=None)


def _number(file: Path) -> int | None:
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None  # "max" is no limit


class Budget:
    """Lets decodes through, first come first served, while all together stay below a limit."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._held = 0.0

    @contextmanager
    def reserve(self, megapixels: float, most: float) -> Iterator[None]:
        """Wait until so much fits below `most`, and hold it for the block.

        More than `most` is let through alone; `photos.read_header` has refused it before.
        """
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            self._changed.wait_for(
                lambda: (
                    self._waiting[0] is ticket
                    and (self._held == 0 or self._held + megapixels <= most)
                )
            )
            self._waiting.popleft()
            self._held += megapixels
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._held -= megapixels
                self._changed.notify_all()


DECODING = Budget()
"""The process's own: the site's uploads and the crawl that it runs share one memory."""
