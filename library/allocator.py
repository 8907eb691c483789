"""How the C library keeps the memory that the process frees."""

from __future__ import annotations

import contextlib
import ctypes
import sys

_M_MMAP_THRESHOLD = -3
_LARGE = 1 << 20


def give_back_large_blocks() -> None:
    """Have every block of a megabyte or more given back to the system when it is freed.

    Of its own accord glibc keeps freed blocks of up to 32 MB once it has seen one that large, and
    copies them when they grow (mallopt(3), M_MMAP_THRESHOLD): pixels and the index's graphs then
    leave holes that nothing else fits into. To be called before anything large is allocated; where
    there is no glibc it does nothing.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
