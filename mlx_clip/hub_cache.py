"""One model in huggingface_hub's cache, and the record of what its name was resolved to.

The layout is huggingface_hub's (its guide "Understand caching"), so that other programs find what
is downloaded here, this finds what they downloaded, and `hf cache` shows and deletes it:

    models--ORG--MODEL/
        blobs/DIGEST               the bytes of a file; DIGEST.incomplete while they arrive
        snapshots/COMMIT/NAME      a link to a blob, or the file itself where links cannot be made
        refs/REVISION              the commit of a branch or tag, moved by whoever asks next
        .mlx_clip/REVISION.json    ours, moved by nobody: the commit, and what was fetched of it
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from mlx_clip.errors import WeightsError
from mlx_clip.hub_files import needed_beside_weights, speaks_for_itself
from mlx_clip.hub_listing import COMMIT, RemoteFile, size_of
from mlx_clip.weights import check_safetensors, choose_weights, shards


@dataclass(frozen=True, slots=True)
class Record:
    """A fetch that ended well: which commit a revision was, and its files with their sizes."""

    revision: str
    commit: str
    files: dict[str, int]


class ModelCache:
    """The folder of one model in the cache."""

    def __init__(self, cache: Path, repo: str) -> None:
        self._folder = cache / f"models--{repo.replace('/', '--')}"
        self._locks = cache / ".locks" / self._folder.name

    def snapshot(self, commit: str) -> Path:
        """The folder of a commit."""
        return self._folder / "snapshots" / commit

    def blob(self, file: RemoteFile) -> Path:
        """Where a file's bytes are, whole."""
        return self._folder / "blobs" / file.digest

    def partial(self, file: RemoteFile) -> Path:
        """Where a file's bytes are while they arrive."""
        return self._folder / "blobs" / f"{file.digest}.incomplete"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from fetching this model; waits for the one that does."""
        from huggingface_hub.utils import WeakFileLock

        self._locks.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(self._locks / "mlx_clip.lock"):
            yield

    def record(self, revision: str) -> Record | None:
        """What a revision, or a commit that one led to, was resolved to; complete or not."""
        for path in sorted(self._records.glob("*.json")):
            found = _read(path)
            if found and revision in (found.revision, found.commit):
                # Whoever deletes a snapshot wants it asked for anew.
                return found if self.snapshot(found.commit).is_dir() else None
        return None

    def is_complete(self, record: Record) -> bool:
        """Whether every file has the size it was fetched with, and safetensors a sound header."""
        folder = self.snapshot(record.commit)
        if any(size_of(folder / name) != size for name, size in record.files.items()):
            return False
        return not any(_is_broken(folder / name) for name in record.files)

    def adopt(self, revision: str) -> Record | None:
        """Make a record of a complete snapshot that another program downloaded, if one is there.

        The files are checked against the hashes that they are named for: it is done once.
        """
        commit = revision if COMMIT.fullmatch(revision) else _text(self._folder / "refs" / revision)
        folder = self.snapshot(commit)
        if not COMMIT.fullmatch(commit) or not folder.is_dir():
            return None
        names = _needed({path.name for path in folder.iterdir()}, folder)
        if not names or not all(_is_what_its_blob_is_named_for(folder / name) for name in names):
            return None
        record = Record(revision, commit, {name: size_of(folder / name) or 0 for name in names})
        if not self.is_complete(record):
            return None
        with suppress(OSError):  # A cache that others look after may be read only.
            self.write(record)
        return record

    def link(self, commit: str, file: RemoteFile) -> None:
        """Show a blob in a snapshot."""
        pointer = self.snapshot(commit) / file.name
        pointer.parent.mkdir(parents=True, exist_ok=True)
        pointer.unlink(missing_ok=True)
        try:
            pointer.symlink_to(Path("..", "..", "blobs", file.digest))
        except OSError:  # Windows without the right to make links.
            os.replace(self.blob(file), pointer)

    def write(self, record: Record) -> None:
        """Remember a fetch that ended well."""
        _write(
            self._records / f"{quote(record.revision, safe='')}.json", json.dumps(asdict(record))
        )
        if record.revision != record.commit:
            with suppress(OSError):  # For others only; `a` and `a/b` cannot both be files.
                _write(self._folder / "refs" / record.revision, record.commit)

    @property
    def _records(self) -> Path:
        return self._folder / ".mlx_clip"


def _needed(names: set[str], folder: Path) -> list[str]:
    """The files of a model among those in a folder; none when it is not complete."""
    weights = choose_weights(names)
    if weights is None or not speaks_for_itself(names):
        return []
    parts = []
    if weights.endswith(".index.json"):
        try:
            parts = shards(folder / weights)
        except WeightsError:
            return []
    found = [*needed_beside_weights(names), weights, *parts]
    return found if names.issuperset(found) else []


def _is_what_its_blob_is_named_for(path: Path) -> bool:
    if not path.is_symlink():
        return path.is_file()
    size = size_of(path)
    digest = Path(os.readlink(path)).name
    return size is not None and RemoteFile(path.name, size, digest).is_at(path)


def _is_broken(path: Path) -> bool:
    if path.suffix != ".safetensors":
        return False
    try:
        check_safetensors(path)
    except WeightsError:
        return True
    return False


def _read(path: Path) -> Record | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        files = {str(name): int(size) for name, size in found["files"].items()}
        return Record(str(found["revision"]), str(found["commit"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
