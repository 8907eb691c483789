"""The bytes of a model's files, from the Hub into the cache, resumed and checked.

Not by huggingface_hub's own hf_hub_download: that of 2.4 deletes a download that breaks off, and
so does Xet, so a line that drops at 500 of 600 MB begins again. These are its session (proxies,
login, offline mode), its progress bars and its cache; Xet's files are served over HTTP too.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from mlx_clip.errors import HubError
from mlx_clip.hub_cache import ModelCache
from mlx_clip.hub_errors import explained
from mlx_clip.hub_listing import Listing, RemoteFile, size_of
from mlx_clip.patience import Beat, patiently


class Download:
    """Brings files of one commit into the cache."""

    def __init__(self, endpoint: str, listing: Listing, cache: ModelCache) -> None:
        self._endpoint = endpoint
        self._listing = listing
        self._cache = cache

    def bring(self, names: Iterable[str]) -> None:
        """Have these files of the listing in the snapshot, whole.

        What is there and right stays; what is there and wrong is deleted first. Raises HubError
        when a file arrives wrong twice, the Hub stops sending or the disk is full.
        """
        with explained(self._listing.repo, self._endpoint):
            self._bring(names)

    def _bring(self, names: Iterable[str]) -> None:
        snapshot = self._cache.snapshot(self._listing.commit)
        files = [self._listing.files[name] for name in names]
        missing = [file for file in files if not file.is_at(snapshot / file.name)]
        self._make_sure_of_room(missing)
        for file in missing:
            (snapshot / file.name).unlink(missing_ok=True)
            if not file.is_at(self._cache.blob(file)):
                self._fetch(file)
            self._cache.link(self._listing.commit, file)

    def _make_sure_of_room(self, files: list[RemoteFile]) -> None:
        needed = sum(file.size - (size_of(self._cache.partial(file)) or 0) for file in files)
        place = next(path for path in self._cache.snapshot("").parents if path.is_dir())
        free = shutil.disk_usage(place).free
        if needed > free:
            raise HubError(
                f"{self._listing.repo} needs {needed / 1e6:.0f} MB more, and {place} has "
                f"{free / 1e6:.0f} MB free: make room, or set HF_HOME to a folder on another disk"
            )

    def _fetch(self, file: RemoteFile) -> None:
        blob, partial = self._cache.blob(file), self._cache.partial(file)
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.unlink(missing_ok=True)
        place = f"{self._listing.repo}/resolve/{self._listing.commit}/{quote(file.name)}"
        for _ in range(2):
            partial.touch()
            _receive_all(f"{self._endpoint}/{place}", file, partial)
            if file.is_at(partial):
                os.replace(partial, blob)
                return
            partial.unlink()
        raise HubError(
            f"{file.name} of {self._listing.repo} arrives damaged (not the size or the hash that "
            "the Hub states), twice: something between here and the Hub changes it. Try again "
            "later, or from another network"
        )


def _receive_all(url: str, file: RemoteFile, partial: Path) -> None:
    """Go on from what is there already; again when the line drops, as long as anything comes."""
    from huggingface_hub import constants

    # A read that times out says so itself; this is for what no read timeout covers.
    seconds = constants.HF_HUB_DOWNLOAD_TIMEOUT + 5
    while (before := size_of(partial) or 0) < file.size:
        try:
            patiently(lambda beat: _receive(url, file, partial, beat), seconds)
        except Exception:
            if (size_of(partial) or 0) <= before:
                raise


def _receive(url: str, file: RemoteFile, partial: Path, beat: Beat) -> None:
    from huggingface_hub import constants
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status, tqdm

    have = size_of(partial) or 0
    headers = build_hf_headers(headers={"Accept-Encoding": "identity"})
    if have:
        headers["Range"] = f"bytes={have}-"
    timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
    with get_session().stream("GET", url, headers=headers, timeout=timeout) as response:
        hf_raise_for_status(response)
        if response.status_code != 206:  # The server sends it from the start, whatever was asked.
            have = 0
        bar = tqdm(
            desc=file.name, total=file.size, initial=have, unit="B", unit_scale=True, disable=None
        )
        with bar, partial.open("ab" if have else "wb") as out:
            for chunk in response.iter_bytes():
                beat()
                out.write(chunk)
                bar.update(len(chunk))
    if (size_of(partial) or 0) < file.size:
        raise ConnectionError(f"{file.name} ended before its end")
