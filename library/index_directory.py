"""IndexDirectory: an index in Chroma's embedded directory, which may be left in any state.

A process that is killed may leave an index that crashes its reader, and so does a disk that loses
parts of files. So a mark lies beside the directory while it is open, and a stamp of its files once
it is closed. Where there is a mark, or another stamp, a subprocess checks the index at opening;
what graph_files.py finds broken is not even tried, and gets no stamp.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from library.chroma import Collections
from library.chroma_directory import Shards, forget_failed_client
from library.database import Database
from library.graph_files import graphs_are_whole
from library.index_files import IndexFiles

_CHECK_SECONDS = 300


class IndexDirectory:
    """The directory of a library's index; whoever opens it holds the index's lock."""

    def __init__(self, files: IndexFiles, database: Database, shard: int) -> None:
        self.was_damaged = False
        self._files = files
        self._database = database
        self._shard = shard

    def open(self, owner: str) -> Collections:
        """What is there, or an empty index in its place when that cannot be trusted."""
        if not (self._is_new() or self._files.were_closed() or self._is_sound()):
            self._throw_away()
        self._files.set_owner(owner)
        try:
            return Shards(self._files.directory, self._shard)
        except Exception:  # garbage in the directory raises anything at all
            forget_failed_client()
            self._throw_away()
            return Shards(self._files.directory, self._shard)

    def close(self, collections: Collections) -> None:
        """Let go of it. If it failed in our hands, the next to open it checks it."""
        collections.close()
        if collections.is_sound and graphs_are_whole(self._files.directory):
            self._files.set_closed()

    def discard(self, collections: Collections) -> None:
        """Let go of it and remove it."""
        try:
            collections.close()
        finally:
            self._files.discard()
            self._files.mark.unlink(missing_ok=True)

    def _is_new(self) -> bool:
        return not (self._files.directory.exists() or self._files.mark.exists())

    def _throw_away(self) -> None:
        self.was_damaged = True
        self._files.discard()

    def _is_sound(self) -> bool:
        return graphs_are_whole(self._files.directory) and self._survives_check()

    def _survives_check(self) -> bool:
        """Ask a subprocess, which may crash in our stead."""
        command = [sys.executable, "-m", "library.index_check"]
        arguments = [str(self._files.directory), str(self._database.path), str(self._shard)]
        try:
            done = subprocess.run(
                [*command, *arguments],
                cwd=Path(__file__).parent.parent,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_CHECK_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0
