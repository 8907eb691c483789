"""kill -9 at random moments: the next start does what is missing, and nothing twice.

A sample of what `python -m reliability kills` does a hundred times.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from reliability.kills import OWNERS, STAGES, Scenes

CASES = [("the command line", stage) for stage in STAGES]
CASES += [("the site", "encode"), ("the site", "push")]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    return Scenes(tmp_path_factory.mktemp("kill"), 40, 800)


@pytest.mark.parametrize(("owner", "stage"), CASES)
def test_killed_in_a_stage_and_started_again_it_ends_the_same(
    owner: str, stage: str, scenes: Scenes, tmp_path: Path
) -> None:
    aim = next(known for known in STAGES if known == stage)
    rng = random.Random(f"{owner} {stage}")
    trial = 0
    while scenes.kill(OWNERS[owner], aim, tmp_path / f"{trial}", rng) is None:
        trial += 1  # it had come to its end
    scenes.recover(OWNERS[owner], aim, tmp_path / f"{trial}")
