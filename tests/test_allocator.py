"""Memory that is freed is given back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

_RESIDENT = """
import sys
from library.allocator import give_back_large_blocks
if sys.argv[1:]:
    give_back_large_blocks()
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
before = resident()
bytearray(30_000_000)  # from now on glibc would keep blocks of this size
blocks, small = [], []
for _ in range(20):
    blocks.append(bytearray(4_000_000))
    small.append(bytearray(5_000))
blocks.clear()
print(resident() - before)
"""


def kept(*arguments: str) -> int:
    """The bytes that a process keeps of 80 MB freed between small blocks."""
    done = subprocess.run(
        [sys.executable, "-c", _RESIDENT, *arguments],
        cwd=Path(__file__).parent.parent,
        check=True,
        capture_output=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_large_blocks_do_not_stay_between_small_ones() -> None:
    assert kept() > 50_000_000
    assert kept("large blocks are given back") < 10_000_000
