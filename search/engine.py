"""Engine: a query -> a page of ranked hits."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from library import counts, images, vectors
from library.database import Database
from library.keeper import IndexKeeper
from library.matching import matching
from library.matrix import Ids, Matrix
from library.models import Hit, Place, Results, Source
from library.spaces import Space
from library.vectors import Vectors
from mlx_clip import Encoder
from search.exact import Ranked
from search.query import PictureTerm, Query, Words
from search.query_vector import QueryVectors
from search.ranker import Ranker
from search.relevance import Kind, Relevance

# The part of the time that may go into counting what there is, which takes longer the more it is.
_COUNTING = 0.02


@dataclass(frozen=True, slots=True)
class _Total:
    """How many pictures there are, when the newest vector was that, believed until then."""

    total: int
    newest: int
    until: float


class Engine:
    """Searches one space of a library.

    The index answers where it can, an exact scan at every other moment, deep in a list and behind
    a place in it, so an answer is never missing pictures. Hits are pictures with a present file, so
    exact duplicates are one hit; scores are cosine similarities as the model gives them.
    """

    def __init__(
        self,
        database: Database,
        encoder: Encoder,
        space: Space,
        keeper: IndexKeeper,
        matrix: Matrix,
        relevance: Relevance,
    ) -> None:
        self.space = space
        self._database = database
        self._encoder = encoder
        self._matrix = matrix
        self._relevance = relevance
        self._vectors = QueryVectors(database, encoder, space, matrix)
        self._ranker = Ranker(database, matrix, keeper)
        self._total = _Total(0, -1, 0.0)

    @property
    def image_size(self) -> int:
        """The side of the square of pixels that the model sees."""
        return self._encoder.image_size

    def embed_text(self, text: str) -> Vectors:
        """A text's vector (dim,), as it is. Raises mlx_clip's InputError when it has none."""
        vector: Vectors = self._encoder.encode_texts([text])[0]
        return vector

    def embed_picture(self, image: Image.Image) -> Vectors:
        """The vector (dim,) of an upright RGB picture."""
        return self._vectors.of_picture(image)

    def vector(self, query: Query, given: Image.Image | None = None) -> Vectors | None:
        """What the pictures of a query are ranked by, (dim,); None when it has no terms."""
        return self._vectors.of_query(query, given=given)

    def search(
        self,
        query: Query,
        limit: int,
        offset: int = 0,
        after: Place | None = None,
        *,
        more: Sequence[int] = (),
        less: Sequence[int] = (),
        given: Image.Image | None = None,
    ) -> Results:
        """The pictures that fit a query best, or without terms the newest of those that match.

        `after` is where a page before ended; pictures `more` and `less` refine the query. A picture
        that is `given`, upright and RGB, need not be in the library and is one more term. Pictures
        that are terms by their number are no hits. Raises SearchError and mlx_clip's InputError.
        """
        started = time.perf_counter()
        vector = self._vectors.of_query(query, more, less, given)
        among = matching(self._database.connection, query.filters) if query.filters else None
        if vector is None:
            return self._newest(among, limit, offset, started, after)
        named = {term.image_id for term in query.terms if isinstance(term, PictureTerm)}
        kind = None if more or less else _kind(query, given is not None)
        return self._page(vector, limit, offset, started, kind, after, among, named | set(less))

    def similar(self, image_id: int, limit: int, offset: int = 0) -> Results:
        """The pictures nearest to one of the library's, itself left out.

        Empty when that picture has no vector in this space (yet).
        """
        started = time.perf_counter()
        vector = vectors.get(self._database.connection, self.space, image_id)
        if vector is None:
            return Results((), 0, "exact", 0.0)
        return self._page(vector, limit, offset, started, "picture", left_out={image_id})

    def _page(
        self,
        vector: Vectors,
        limit: int,
        offset: int,
        started: float,
        kind: Kind | None,
        after: Place | None = None,
        among: Ids | None = None,
        left_out: Collection[int] = (),
    ) -> Results:
        def rank(depth: int) -> tuple[Ranked, Source]:
            return self._ranker.rank(vector, depth, among, after)

        # One more, which tells whether there is a next page.
        hits, source = self._hits(rank, offset + limit + 1, left_out)
        shown = hits[offset : offset + limit]
        last = shown[-1] if len(hits) > offset + limit else None
        return Results(
            tuple(shown),
            self._count(among, left_out),
            source,
            time.perf_counter() - started,
            Place(last.score or 0.0, last.picture.id) if last else None,
            self._relevance.line(kind) if kind else None,
        )

    def _hits(
        self,
        rank: Callable[[int], tuple[Ranked, Source]],
        wanted: int,
        left_out: Collection[int],
    ) -> tuple[list[Hit], Source]:
        """The best hits that may be shown, ranked deeper until there are `wanted`."""
        depth = wanted + len(left_out) + wanted // 8  # some more for pictures that are gone
        while True:
            ranked, source = rank(depth)
            present = images.present(self._database.connection, ranked.image_ids.tolist())
            hits = [
                Hit(present[image_id], score)
                for image_id, score in zip(
                    ranked.image_ids.tolist(), ranked.scores.tolist(), strict=True
                )
                if image_id in present and image_id not in left_out
            ]
            if len(hits) >= wanted or len(ranked) < depth:
                return hits[:wanted], source
            depth *= 4

    def _newest(
        self, among: Ids | None, limit: int, offset: int, started: float, after: Place | None
    ) -> Results:
        """What matches filters alone, the newest first: there is nothing to be near to."""
        if among is None:
            return Results((), 0, "exact", 0.0)
        left = among if after is None else among[among < after.image_id]
        page = left[::-1][offset : offset + limit].tolist()
        present = images.present(self._database.connection, page)
        hits = tuple(Hit(present[image_id], None) for image_id in page if image_id in present)
        more = len(left) > offset + limit
        end = Place(0.0, page[-1]) if more else None
        return Results(hits, len(among), "exact", time.perf_counter() - started, end)

    def _count(self, among: Ids | None, left_out: Collection[int]) -> int:
        """How many pictures the whole list has."""
        if among is not None:
            with_vector = self._matrix.rows().of_images(among)
            return len(with_vector) - len(np.intersect1d(among, list(left_out)))
        connection = self._database.connection
        return self._present() - len(images.present(connection, list(left_out)))

    def _present(self) -> int:
        """How many pictures can be ranked, by a count that is at most this old: see _COUNTING."""
        newest = vectors.newest(self._database.connection, self.space)
        known = self._total
        started = time.monotonic()
        if newest != known.newest or started >= known.until:
            total = counts.present_encoded(self._database.connection, self.space)
            took = time.monotonic() - started
            self._total = known = _Total(total, newest, started + took / _COUNTING)
        return known.total


def _kind(query: Query, given: bool) -> Kind | None:
    """What a query's answers are measured by: None where several terms are added up."""
    if given:
        return None if query.terms else "picture"
    if len(query.terms) != 1 or query.terms[0].weight < 0:
        return None
    return "words" if isinstance(query.terms[0], Words) else "picture"
