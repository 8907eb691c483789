"""SIGKILL at random moments of a crawl, and what the next start makes of it."""

from __future__ import annotations

import random
import shutil
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from filelock import FileLock

from bench.table import table
from library.index_files import IndexFiles
from reliability.owners import Place, Running, Stage, command_line, site
from reliability.sameness import Contents, assert_same, contents
from tests.pictures import fill

Owner = Callable[..., AbstractContextManager[Running]]
OWNERS: Mapping[str, Owner] = {"the command line": command_line, "the site": site}
STAGES: tuple[Stage, ...] = get_args(Stage)
KILLS = 100
_SEED = 7
_LOOK_SECONDS = 0.005
_STARTS = 2


@dataclass(frozen=True)
class Scene:
    """What a program is killed over: a folder, and a library to begin with, if not with none."""

    folder: Path
    library: Path | None
    whole: Contents
    """What an uninterrupted run makes of it."""
    seconds: Mapping[Stage, float]
    """How long an uninterrupted run was in each stage."""


class Scenes:
    """Pictures and libraries for each stage, made by uninterrupted runs below `base`.

    Reading is killed over few pictures, and the index over many, which it takes 500 at a time.
    """

    def __init__(self, base: Path, read: int, indexed: int) -> None:
        few, many = base / "few", base / "many"
        fill(few, read)
        (few / "broken.jpg").write_bytes(b"x")
        for number in range(10 * read):  # for a walk of some length
            (few / f"{number % 50}" / f"{number}").mkdir(parents=True)
        fill(many, indexed // 2, size=(40, 30))
        _run(Place(many, base / "half"))
        fill(many, indexed, size=(40, 30))
        with FileLock(base / "half" / "chroma.lock"):
            _run(Place(many, base / "half"))
        _copy(base / "half", base / "whole")
        pushed = _run(Place(many, base / "whole"))
        whole = contents(base / "whole")
        _copy(base / "whole", base / "none")
        shutil.rmtree(base / "none" / "chroma")
        crawled = _run(Place(few, base / "crawled"))
        crawl = Scene(few, None, contents(base / "crawled"), crawled)
        pushing = Scene(many, base / "half", whole, pushed)
        rebuilding = Scene(many, base / "none", whole, {"rebuild": 2 * pushed["push"]})
        self._of: Mapping[Stage, Scene] = {
            "scan": crawl,
            "read": crawl,
            "encode": crawl,
            "push": pushing,
            "rebuild": rebuilding,
        }

    def kill(self, owner: Owner, stage: Stage, data: Path, rng: random.Random) -> Stage | None:
        """Kill a program at a random moment of a stage, or when that is over before.

        Gives the stage that it was in, by what it said last; None when it had come to its end.
        """
        scene = self._of[stage]
        if scene.library is not None:
            _copy(scene.library, data)
        with owner(Place(scene.folder, data), reads=scene.library is None) as running:
            seen = _wait(running, stage, rng.uniform(0, scene.seconds[stage]))
            running.process.send_signal(signal.SIGKILL)
            if running.process.wait() != -signal.SIGKILL:
                return None
        return stage if stage in seen else next(iter(seen), None)

    def recover(self, owner: Owner, stage: Stage, data: Path) -> None:
        """Start it again, to its end; raises AssertionError when that is not as it should be.

        Once more where the first start found out at its end that Chroma wrote a broken index.
        """
        scene = self._of[stage]
        for _ in range(_STARTS):
            with owner(Place(scene.folder, data), reads=scene.library is None) as running:
                running.end()
            if IndexFiles(data).were_closed():
                break
        assert_same(data, scene.whole)


def kills_section(work: Path, kills: int = KILLS) -> str:
    """Kill both owners of the index as often, in every stage, and start them again."""
    shutil.rmtree(work, ignore_errors=True)
    scenes = Scenes(work / "scenes", 150, 2_000)
    killed: Counter[tuple[str, Stage]] = Counter()
    recovered: Counter[tuple[str, Stage]] = Counter()
    rng = random.Random(_SEED)
    for number in range(kills):
        name = list(OWNERS)[number % len(OWNERS)]
        aim = min(STAGES, key=lambda stage: killed[name, stage])
        data = work / f"killed-{number}"
        while (stage := scenes.kill(OWNERS[name], aim, data, rng)) is None:
            shutil.rmtree(data)
        killed[name, stage] += 1
        try:
            scenes.recover(OWNERS[name], aim, data)
            recovered[name, stage] += 1
            shutil.rmtree(data)
        except AssertionError as error:  # the library stays, to be looked into
            print(f"kill {number}, {name} in {stage}: {error}", file=sys.stderr)
        print(f"{number + 1} of {kills}", end="\r", file=sys.stderr, flush=True)
    return _section(killed, recovered)


def _section(killed: Counter[tuple[str, Stage]], recovered: Counter[tuple[str, Stage]]) -> str:
    rows = [
        [stage, name, str(killed[name, stage]), str(recovered[name, stage])]
        for stage in STAGES
        for name in OWNERS
    ]
    rows.append(["all", "", str(killed.total()), str(recovered.total())])
    return (
        "## Kills\n\n"
        "SIGKILL at random moments, to whoever crawls and holds the index. Recovered: after the\n"
        "next start, or the one after it where Chroma wrote a broken index, files, metadata,\n"
        "vectors and thumbnails are those of an uninterrupted run, nothing is there twice, and\n"
        "the index finds for every picture what an exact scan finds.\n"
        "Read: no picture is committed yet; encode: some are, others are being read. The model is\n"
        "a CLIP of a few thousand weights, so that there is time for many kills.\n\n"
        f"{table(['killed in', 'owner', 'killed', 'recovered'], rows)}\n"
    )


def _wait(running: Running, stage: Stage, seconds: float) -> set[Stage]:
    """Wait for a stage, and then so long, but not past its end; gives the stages seen last."""
    seen: set[Stage] = set()
    due = float("inf")
    while running.process.poll() is None and time.monotonic() < due:
        now = running.stages()
        if stage in now:
            due = min(due, time.monotonic() + seconds)
        elif stage in seen:
            return now or seen
        seen = now or seen
        time.sleep(_LOOK_SECONDS)
    return seen


def _run(place: Place) -> Mapping[Stage, float]:
    """Crawl without interruption; gives the seconds that each stage took."""
    seconds: defaultdict[Stage, float] = defaultdict(float)
    with command_line(place) as running:
        last = time.monotonic()
        while running.process.poll() is None:
            now = time.monotonic()
            for stage in running.stages():
                seconds[stage] += now - last
            last = now
            time.sleep(_LOOK_SECONDS)
        running.end()
    return seconds


def _copy(library: Path, data: Path) -> None:
    """A library of its own; thumbnails, which are replaced and never written to, are shared."""
    shutil.copytree(library, data, ignore=shutil.ignore_patterns("thumbnails"))
    shutil.copytree(library / "thumbnails", data / "thumbnails", copy_function=_link)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
