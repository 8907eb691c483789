"""What the Hub says of one commit of a model: its files, with their sizes and hashes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlx_clip.hub_errors import explained
from mlx_clip.patience import patiently

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo, RepoSibling

MAIN = "main"
COMMIT = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PLAIN_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository, as the Hub lists it."""

    name: str
    size: int
    digest: str
    """SHA-256 of a file in LFS, git's SHA-1 of any other: its ETag, and its name in the cache."""

    def is_at(self, path: Path) -> bool:
        """Whether the file at `path` is this one, down to the last byte."""
        if size_of(path) != self.size:
            return False
        if len(self.digest) == 64:
            digest = hashlib.sha256()
        else:
            digest = hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        with path.open("rb") as stream:
            for block in iter(lambda: stream.read(1 << 20), b""):
                digest.update(block)
        return digest.hexdigest() == self.digest


@dataclass(frozen=True, slots=True)
class Listing:
    """The files at the top of a repository, at one commit."""

    repo: str
    commit: str
    files: Mapping[str, RemoteFile]


def size_of(path: Path) -> int | None:
    """The size of a file in bytes; None when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def ask(repo: str, revision: str, endpoint: str, seconds: float) -> Listing:
    """Ask the Hub. Raises ModelNotFoundError or HubError, within `seconds` in all."""
    with explained(repo if revision == MAIN else f"{repo}@{revision}", endpoint):
        info = patiently(lambda _: _ask(repo, revision, endpoint, seconds), seconds)
        if not info.sha or not COMMIT.fullmatch(info.sha):
            raise ValueError("the answer states no commit")
        found = [_remote(sibling) for sibling in info.siblings or ()]
        return Listing(repo, info.sha, {file.name: file for file in found if file})


def _ask(repo: str, revision: str, endpoint: str, seconds: float) -> ModelInfo:
    from huggingface_hub import HfApi, constants

    # Else it tells the Hub what is installed and running here, and asks it what to look for.
    constants.HF_HUB_DISABLE_TELEMETRY = True
    api = HfApi(endpoint=endpoint)
    return api.model_info(repo, revision=revision, files_metadata=True, timeout=seconds)


def _remote(sibling: RepoSibling) -> RemoteFile | None:
    name = sibling.rfilename
    size = sibling.lfs.size if sibling.lfs else sibling.size
    digest = sibling.lfs.sha256 if sibling.lfs else sibling.blob_id
    # Names and hashes become paths here, so they are not taken on trust.
    plain = _PLAIN_NAME.fullmatch(name) and digest and _DIGEST.fullmatch(digest)
    return RemoteFile(name, size, digest) if plain and digest and size is not None else None
