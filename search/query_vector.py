"""QueryVectors: the terms of a query -> one vector."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image

from library import vectors
from library.database import Database
from library.matrix import Matrix
from library.spaces import Space
from library.vectors import Vectors
from mlx_clip import Encoder
from search import prompts
from search.errors import SearchError
from search.query import PictureTerm, Query, Words

_REMEMBERED = 1_000
_SAMPLE = 2_000
_LEAST_SAMPLE = 10
_SMALLEST = 1e-6
# Rocchio 1971; weights of Manning, Raghavan and Schuetze, "Introduction to Information Retrieval",
# section 9.1.1.
_MORE, _LESS = 0.75, 0.15


class QueryVectors:
    """Makes the vectors that pictures are ranked by: unit vectors (dim,) float32."""

    def __init__(self, database: Database, encoder: Encoder, space: Space, matrix: Matrix) -> None:
        self._database = database
        self._encoder = encoder
        self._space = space
        self._matrix = matrix
        self.of_words = lru_cache(_REMEMBERED)(self._of_words)

    def of_query(
        self,
        query: Query,
        more: Sequence[int] = (),
        less: Sequence[int] = (),
        given: Image.Image | None = None,
    ) -> Vectors | None:
        """What the terms add up to, drawn towards the pictures `more` and away from `less`.

        A picture that is `given`, upright and RGB, is one more term. None when there is nothing to
        rank by. Raises SearchError for a picture that has no vector, and when the terms leave
        nothing, mlx_clip's InputError for words that have none.
        """
        asked = [(self._of_term(term), term.weight) for term in query.terms]
        if given is not None:
            asked.append((self.of_picture(given), 1.0))
        refined = [(self.of_stored(i), _MORE / len(more)) for i in more]
        refined += [(self.of_stored(i), -_LESS / len(less)) for i in less]
        if asked:
            vector = _unit(self._sum(asked))
            return _unit(self._sum([(vector, 1.0), *refined])) if refined else vector
        return _unit(self._sum(refined)) if refined else None

    def of_picture(self, image: Image.Image) -> Vectors:
        """The vector of an upright RGB picture."""
        pixels = self._encoder.preprocess(image)
        vector: Vectors = self._encoder.encode_images(pixels[None])[0]
        return vector

    def of_stored(self, image_id: int) -> Vectors:
        """The vector of one of the library's pictures. Raises SearchError when it has none."""
        vector = vectors.get(self._database.connection, self._space, image_id)
        if vector is None:
            raise SearchError(f"Picture #{image_id} is not in the library, or not read yet.")
        return vector

    def _of_words(self, text: str) -> Vectors:
        return prompts.embed(self._encoder, text)

    def _of_term(self, term: Words | PictureTerm) -> Vectors:
        return (
            self.of_words(term.text) if isinstance(term, Words) else self.of_stored(term.image_id)
        )

    def _sum(self, weighted: Sequence[tuple[Vectors, float]]) -> Vectors:
        """Terms added so that each moves the ranking as much as its weight says.

        Pictures lie nearer to each other than to words, and closeness to one term varies more over
        the library than to another: each is divided by how much it does.
        """
        if len(weighted) == 1:
            vector, weight = weighted[0]
            return (vector * weight).astype(np.float32)
        terms = np.stack([vector for vector, _ in weighted])
        spread = self._spread(terms)
        weights = np.array([weight for _, weight in weighted], np.float32)
        total = ((weights / spread) @ terms).astype(np.float32)
        if np.linalg.norm(total) < _SMALLEST * np.linalg.norm(terms / spread[:, None]):
            raise SearchError("These terms leave nothing to look for: they take each other away.")
        return total

    def _spread(self, terms: Vectors) -> Vectors:
        """The standard deviation of the library's similarities to each of some vectors."""
        rows = self._matrix.rows()
        if len(rows) < _LEAST_SAMPLE:
            return np.ones(len(terms), np.float32)
        sample = rows.vectors[:: -(-len(rows) // _SAMPLE)]
        spread: Vectors = np.maximum((sample @ terms.T).std(axis=0), np.float32(_SMALLEST))
        return spread


def _unit(vector: Vectors) -> Vectors:
    unit: Vectors = vector / np.float32(np.linalg.norm(vector))
    return unit
