"""A model's name on the Hub to a folder with its files, complete and checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlx_clip.errors import EncoderError, ModelNotFoundError, WeightsError
from mlx_clip.hub_cache import ModelCache, Record
from mlx_clip.hub_download import Download
from mlx_clip.hub_errors import explain_disk
from mlx_clip.hub_files import needed_beside_weights
from mlx_clip.hub_listing import MAIN, Listing, ask
from mlx_clip.weights import WEIGHT_FILES, check_safetensors, choose_weights, shards

_NAME = re.compile(r"([\w.-]+/[\w.-]+)(?:@((?!.*\.\.)\w[\w./-]*))?", re.ASCII)
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of one commit of a model, complete and checked, in one folder."""

    name: str
    """ORG/MODEL, without a revision."""
    commit: str
    folder: Path


class Hub:
    """Models by name, from huggingface_hub's cache or else from the Hub.

    `cache` and `endpoint` are huggingface_hub's own unless given: HF_HOME, HF_ENDPOINT and the
    rest of its environment hold.
    """

    def __init__(self, cache: Path | None = None, endpoint: str | None = None) -> None:
        self._given_cache = cache
        self._given_endpoint = endpoint

    def fetch(self, name: str, accept: Callable[[Path], None] | None = None) -> Snapshot:
        """Have a model's files on this machine: `ORG/MODEL`, or `ORG/MODEL@REVISION`.

        What a name was resolved to once is kept, however its branch moves, and a complete snapshot
        of it is used without a request. To go on to another commit, name it, or delete the model
        from the cache (`hf cache`). A download that broke off goes on where it stopped.

        `accept` is given the folder before the weights are downloaded, with all the other files
        in it, and raises when the model is of no use.

        Raises ModelNotFoundError (unknown, gated, no such revision, no weights), HubError (no
        answer within 15 s, a broken download, a full disk) or WeightsError (broken at the source).
        """
        repo, revision = _parse(name)
        cache = ModelCache(self._cache, repo)
        try:
            found = _complete(cache, revision)
            if found is None:
                with cache.lock():
                    # Another process may have fetched it while this one waited for the lock.
                    found = _complete(cache, revision)
                    found = found or self._fetch(cache, repo, revision, accept)
        except OSError as error:
            raise explain_disk(error, name) from error
        return Snapshot(repo, found.commit, cache.snapshot(found.commit))

    def answers(self, name: str, timeout: float) -> bool:
        """Whether `fetch` has a chance: the model is complete here, or the Hub knows it.

        Takes `timeout` seconds at most.
        """
        try:
            repo, revision = _parse(name)
            if _complete(ModelCache(self._cache, repo), revision) is None:
                ask(repo, revision, self._endpoint, timeout)
        except (EncoderError, OSError):
            return False
        return True

    def _fetch(
        self, cache: ModelCache, repo: str, revision: str, accept: Callable[[Path], None] | None
    ) -> Record:
        known = cache.record(revision)
        listing = ask(repo, known.commit if known else revision, self._endpoint, _ANSWER_SECONDS)
        weights = _weights(listing)
        folder = cache.snapshot(listing.commit)
        download = Download(self._endpoint, listing, cache)

        names = needed_beside_weights(listing.files)
        download.bring(names)
        if accept:
            accept(folder)
        download.bring([weights])
        parts = _parts(folder / weights, listing)
        download.bring(parts)
        for name in (weights, *parts):
            if name.endswith(".safetensors"):
                check_safetensors(folder / name)

        names = [*names, weights, *parts]
        record = Record(
            revision, listing.commit, {name: listing.files[name].size for name in names}
        )
        cache.write(record)
        return record

    @property
    def _cache(self) -> Path:
        from huggingface_hub import constants

        return (self._given_cache or Path(constants.HF_HUB_CACHE)).expanduser()

    @property
    def _endpoint(self) -> str:
        from huggingface_hub import constants

        return (self._given_endpoint or constants.ENDPOINT).rstrip("/")


def _parse(name: str) -> tuple[str, str]:
    found = _NAME.fullmatch(name)
    if not found:
        raise ModelNotFoundError(
            f"{name!r} is no name of a model on the Hub: it is ORG/MODEL or ORG/MODEL@REVISION"
        )
    return found[1], found[2] or MAIN


def _complete(cache: ModelCache, revision: str) -> Record | None:
    known = cache.record(revision)
    if known is None:
        return cache.adopt(revision)
    return known if cache.is_complete(known) else None


def _weights(listing: Listing) -> str:
    weights = choose_weights(listing.files)
    if weights is None:
        raise ModelNotFoundError(
            f"{listing.repo} has no weights that can be read here, which are one of "
            f"{', '.join(WEIGHT_FILES)}: take another model"
        )
    return weights


def _parts(weights: Path, listing: Listing) -> list[str]:
    if not weights.name.endswith(".index.json"):
        return []
    parts = shards(weights)
    absent = [name for name in parts if name not in listing.files]
    if absent:
        raise WeightsError(
            f"{weights.name} of {listing.repo} names weights that are not there: "
            f"{', '.join(absent)}. The model is broken on the Hub; take another"
        )
    return parts
