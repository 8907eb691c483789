"""Captioned pictures that the starter model was not made of, encoded by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bench.measure import ROOT
from mlx_clip import Encoder, Vectors
from tools.starter import corpora, debian
from tools.starter.corpora import Captioned
from tools.starter.pictures import batches

_DEBIAN = ROOT / "artefacts" / "starter" / "debian"


@dataclass(frozen=True)
class Encoded:
    """Pictures, what each is called and where it lies, and their vectors (n, dim)."""

    name: str
    captions: Sequence[str]
    folders: Sequence[str]
    pictures: Vectors

    @cached_property
    def queries(self) -> list[str]:
        """The captions, each once."""
        return sorted(set(self.captions))

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """(queries, n): which pictures are called just that."""
        right: NDArray[np.bool_] = np.array(self.queries)[:, None] == np.array(self.captions)
        return right

    def taken(self, rows: NDArray[np.int64]) -> Encoded:
        """Some of the pictures."""
        captions = [self.captions[row] for row in rows]
        folders = [self.folders[row] for row in rows]
        return Encoded(f"{len(rows)} of these", captions, folders, self.pictures[rows])


def encoded(encoder: Encoder) -> list[Encoded]:
    """Both sets, and both together. Raises PackageError where a Debian package cannot be had."""
    gcompris = corpora.gcompris(debian.unpacked(debian.GCOMPRIS, _DEBIAN))
    tuxpaint = corpora.tuxpaint(debian.unpacked(debian.TUXPAINT, _DEBIAN))
    one = _encode(debian.GCOMPRIS, gcompris, encoder)
    two = _encode(debian.TUXPAINT, tuxpaint, encoder)
    both = Encoded(
        "both together",
        [*one.captions, *two.captions],
        [*one.folders, *two.folders],
        np.concatenate([one.pictures, two.pictures]),
    )
    return [one, two, both]


def _encode(name: str, items: Sequence[Captioned], encoder: Encoder) -> Encoded:
    pictures = [encoder.encode_images(pixels) for pixels in batches(items, encoder.image_size)]
    return Encoded(
        name,
        [item.caption for item in items],
        [item.folder for item in items],
        np.concatenate(pictures),
    )
