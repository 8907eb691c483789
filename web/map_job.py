"""MapJob: a map built or added to in a process of its own, beside the site.

Of its own, because it computes for minutes without letting go of Python's lock, and because what is
in a process can be ended at once; nothing is written before a map is whole.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from library.settings import Settings

logger = logging.getLogger(__name__)

_NICENESS = 10  # whoever searches meanwhile comes first
_ROOT = Path(__file__).parent.parent
_SAID = "search: "
_OUR_MISTAKE = "Kindred made a mistake. What happened stands in the terminal that it runs in."


@dataclass(frozen=True, slots=True)
class JobState:
    """What the newest job is at or came to."""

    name: str
    """The map's."""
    running: bool = True
    step: str | None = None
    done: float | None = None
    """How much of the step is done, from 0 to 1, where that can be told."""
    map_id: int | None = None
    """The map, once it is there."""
    failure: str | None = None
    stopped: bool = False


class MapJob:
    """The jobs of one site, one at a time. Methods may be called from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._state: JobState | None = None

    @property
    def state(self) -> JobState | None:
        """The newest job; None before the first."""
        return self._state

    def start(self, name: str, command: str, options: Sequence[str] = ()) -> bool:
        """Begin `python -m search map COMMAND` for a map; False while another job is at work."""
        with self._lock:
            if self._state is not None and self._state.running:
                return False
            data = ("--data", str(self._settings.data_dir), "--json")
            self._process = subprocess.Popen(
                [sys.executable, "-m", "search", "map", command, *data, *options, "--", name],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            with suppress(OSError):  # it has ended already
                os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICENESS)
            self._state = JobState(name)
            self._thread = threading.Thread(
                target=self._follow, args=(self._process,), name="map", daemon=True
            )
            self._thread.start()
        return True

    def stop(self) -> None:
        """End the job, if one is at work, and wait for its end."""
        with self._lock:
            process, thread, state = self._process, self._thread, self._state
            if process is not None and state is not None and state.running:
                self._state = replace(state, stopped=True)
                process.terminate()
        if thread is not None:
            thread.join()

    def _follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        complaints: list[str] = []
        listener = threading.Thread(target=complaints.extend, args=(process.stderr,), daemon=True)
        listener.start()
        for line in process.stdout:
            self._hear(line)
        status = process.wait()
        listener.join()
        process.stdout.close()
        process.stderr.close()
        with self._lock:
            assert self._state is not None
            failure = None if status == 0 or self._state.stopped else _failure(complaints)
            self._state = replace(self._state, running=False, failure=failure)

    def _hear(self, line: str) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            return
        with self._lock:
            assert self._state is not None
            if at := told.get("at"):
                self._state = replace(self._state, step=at["step"], done=at["done"])
            if one := told.get("map"):
                self._state = replace(self._state, map_id=one["id"])


def _failure(complaints: Sequence[str]) -> str:
    """What the command said, or that it said nothing that it should have."""
    for line in reversed(complaints):
        if line.startswith(_SAID):
            return line.removeprefix(_SAID).strip()
    logger.error("a map was not built:\n%s", "".join(complaints))
    return _OUR_MISTAKE
