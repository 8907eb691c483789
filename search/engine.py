"""Engine: words or a picture -> a page of ranked hits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from PIL import Image

from library import counts, images, vectors
from library.database import Database
from library.keeper import IndexKeeper
from library.models import Hit, Results
from library.vectors import Space, Vectors
from mlx_clip import Encoder
from search.exact import ExactScan

# Deeper than this an exact scan loses nothing and costs little, while an HNSW graph searched with
# ef 400 begins to miss neighbours.
_INDEX_DEPTH = 250

_Ranked = list[tuple[int, float]]
_Source = Literal["index", "exact"]


class Engine:
    """Searches one space of a library.

    The index answers while it is complete; at every other moment, and deep in a list, an exact
    scan does, so an answer is never missing pictures. Hits are pictures with a present file, so
    exact duplicates are one hit; scores are cosine similarities as the model gives them.
    """

    def __init__(
        self, database: Database, encoder: Encoder, space: Space, keeper: IndexKeeper
    ) -> None:
        self.space = space
        self._database = database
        self._encoder = encoder
        self._keeper = keeper
        self._exact = ExactScan(database, space)

    @property
    def image_size(self) -> int:
        """The side of the square of pixels that the model sees."""
        return self._encoder.image_size

    def embed_text(self, text: str) -> Vectors:
        """A text's vector (dim,). Raises mlx_clip's InputError when it has none."""
        vector: Vectors = self._encoder.encode_texts([text])[0]
        return vector

    def embed_picture(self, image: Image.Image) -> Vectors:
        """The vector (dim,) of an upright RGB picture."""
        pixels = self._encoder.preprocess(image)
        vector: Vectors = self._encoder.encode_images(pixels[None])[0]
        return vector

    def text(self, words: str, limit: int, offset: int = 0) -> Results:
        """The pictures that fit some words best; none for blank words."""
        started = time.perf_counter()
        if not words.strip():
            return Results((), 0, "exact", 0.0)
        return self._page(self.embed_text(words), limit, offset, None, started)

    def picture(self, image: Image.Image, limit: int, offset: int = 0) -> Results:
        """The pictures nearest to an upright RGB picture that need not be in the library."""
        started = time.perf_counter()
        return self._page(self.embed_picture(image), limit, offset, None, started)

    def similar(self, image_id: int, limit: int, offset: int = 0) -> Results:
        """The pictures nearest to one of the library's, itself left out.

        Empty when that picture has no vector in this space (yet).
        """
        started = time.perf_counter()
        vector = vectors.get(self._database.connection, self.space, image_id)
        if vector is None:
            return Results((), 0, "exact", 0.0)
        return self._page(vector, limit, offset, image_id, started)

    def _page(
        self, vector: Vectors, limit: int, offset: int, left_out: int | None, started: float
    ) -> Results:
        connection = self._database.connection
        total = counts.present_encoded(connection, self.space)
        if left_out is not None and images.present(connection, [left_out]):
            total -= 1
        source: _Source = "exact"
        hits: list[Hit] = []
        end = min(offset + limit, total)
        if offset < end:
            # One more for the picture itself, some more for pictures whose files are gone.
            depth = end + 1 + end // 8
            found = None
            # Only a list's beginning: an HNSW graph asked for more finds pictures that it missed
            # when asked for less, and the next page would repeat what the one before showed.
            if offset == 0 and depth <= _INDEX_DEPTH:
                found = self._enough(self._rank_by_index, vector, depth, end, left_out)
                source = "index"
            if found is None or len(found) < end:  # an HNSW graph may leave some unreachable
                found = self._enough(self._rank_exactly, vector, depth, end, left_out)
                source = "exact"
            hits = (found or [])[offset:end]
        return Results(tuple(hits), total, source, time.perf_counter() - started)

    def _enough(
        self,
        rank: Callable[[Vectors, int], _Ranked | None],
        vector: Vectors,
        depth: int,
        wanted: int,
        left_out: int | None,
    ) -> list[Hit] | None:
        """Hits of present pictures, ranked deeper until there are `wanted`; None without answer."""
        while True:
            ranked = rank(vector, depth)
            if ranked is None:
                return None
            pictures = images.present(self._database.connection, [i for i, _ in ranked])
            hits = [
                Hit(pictures[image_id], score)
                for image_id, score in ranked
                if image_id in pictures and image_id != left_out
            ]
            if len(hits) >= wanted:
                return hits
            if len(ranked) < depth:
                return hits
            depth *= 4

    def _rank_exactly(self, vector: Vectors, depth: int) -> _Ranked | None:
        return self._exact.rank(vector, depth)

    def _rank_by_index(self, vector: Vectors, depth: int) -> _Ranked | None:
        """The index's answer, or None when an exact scan has to give it."""
        if depth > _INDEX_DEPTH:
            return None
        answer = self._keeper.query(vector, depth)
        if answer is None:
            return None
        ids = images.ids_of(self._database.connection, [content for content, _ in answer])
        return sorted(
            ((ids[content], score) for content, score in answer if content in ids),
            key=lambda hit: (-hit[1], hit[0]),
        )
