"""How much decodes may hold together, and where the default comes from."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psutil
import pytest

from library import memory
from library.memory import Budget
from library.settings import load_settings

MEBI = 2**20


def test_what_fits_together_is_held_together() -> None:
    budget = Budget()
    with budget.reserve(60, 100), budget.reserve(40, 100):
        pass


def test_what_does_not_fit_waits_and_what_came_later_waits_behind_it() -> None:
    budget, order = Budget(), list[float]()

    def hold(megapixels: float) -> None:
        with budget.reserve(megapixels, 100):
            order.append(megapixels)

    large = threading.Thread(target=hold, args=(90,))
    small = threading.Thread(target=hold, args=(1,))
    with budget.reserve(60, 100):
        for number, thread in enumerate((large, small), 1):
            thread.start()
            while thread.is_alive() and len(budget._waiting) < number:
                time.sleep(0.001)
        assert order == []
    large.join(10)
    small.join(10)
    assert order == [90, 1]


def test_what_fails_gives_back_what_it_held() -> None:
    budget = Budget()
    for _ in range(2):
        with pytest.raises(ValueError, match="damaged"), budget.reserve(100, 100):
            raise ValueError("damaged")


def test_by_default_decodes_may_hold_a_quarter_of_the_memory_that_is_free() -> None:
    memory.sensible_megapixels.cache_clear()
    found = load_settings({}).max_image_megapixels
    free = min(psutil.virtual_memory().available, memory.cgroup_limit() or 2**63)
    assert 64 <= found <= 1200
    if 64 < found < 1200:
        assert found * memory.BYTES_PER_MEGAPIXEL == pytest.approx(free / 4, rel=0.2)


def groups(folder: Path, own: str, **limits: str) -> tuple[Path, Path]:
    """/proc/self/cgroup and /sys/fs/cgroup, made of files like theirs."""
    (folder / "own").write_text(own)
    for path, text in limits.items():
        file = folder / "mounted" / path.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder / "own", folder / "mounted"


def test_a_container_s_limit_counts(tmp_path: Path) -> None:
    own, mounted = groups(
        tmp_path, "0::/\n", memory_dot_max=f"{512 * MEBI}\n", app__memory_dot_max="1\n"
    )
    assert memory.cgroup_limit(own, mounted) == 512 * MEBI


def test_so_does_the_limit_of_a_group_above_one_s_own(tmp_path: Path) -> None:
    limits = {
        "user_dot_slice__app__memory_dot_max": "max\n",
        "user_dot_slice__memory_dot_max": f"{700 * MEBI}\n",
    }
    own, mounted = groups(tmp_path, "0::/user.slice/app\n", **limits)
    assert memory.cgroup_limit(own, mounted) == 700 * MEBI


def test_the_older_groups_are_asked_too(tmp_path: Path) -> None:
    limits = {"memory__box__memory.limit_in_bytes": f"{300 * MEBI}\n"}
    own, mounted = groups(tmp_path, "4:memory:/box\n3:cpuset:/\n0::/\n", **limits)
    assert memory.cgroup_limit(own, mounted) == 300 * MEBI


def test_without_groups_nothing_limits(tmp_path: Path) -> None:
    assert memory.cgroup_limit(tmp_path / "own", tmp_path) is None
    own, mounted = groups(tmp_path, "0::/a\n", a__memory_dot_max="max\n")
    assert memory.cgroup_limit(own, mounted) is None
