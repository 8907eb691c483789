"""Whether the vectors are what they should be: of their space's length, finite, of norm 1."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from library import counts
from library.checks.finding import ENOUGH, Finding, Patient, ok
from library.spaces import Space, spaces

_BLOCK = 1_000
_TOLERANCE = 1e-3

_WRONG_LENGTH = """FROM vectors CROSS JOIN spaces ON spaces.id = space_id
    WHERE length(vector) != 4 * dim"""


def lengths(patient: Patient) -> Finding:
    """Whether each vector has its space's dimensions."""
    (wrong,) = patient.connection.execute(f"SELECT count(*) {_WRONG_LENGTH}").fetchone()
    if wrong:
        what = f"vectors that are not as long as their model's: {wrong:,}"
        return patient.mending_and_crawl(what)
    return ok("each as long as its model's")


def forget_wrong_lengths(patient: Patient) -> str:
    """Remove the vectors that are not."""
    ids = [i for (i,) in patient.connection.execute(f"SELECT vectors.id {_WRONG_LENGTH}")]
    return _forget(patient, ids)


def values(patient: Patient) -> Finding:
    """Whether each vector is finite and has norm 1; of a large library, an even part."""
    wrong, looked = _wrong_values(patient, patient.thorough)
    total = sum(counts.vectors(patient.connection, s) for s in spaces(patient.connection))
    if wrong:
        what = f"vectors that are not finite, or not of norm 1: {len(wrong):,} of {looked:,}"
        return patient.mending_and_crawl(what)
    part = f"; looked at {looked:,} of {total:,}, --thorough looks at all" if looked < total else ""
    return ok(f"finite, and of norm 1{part}")


def forget_wrong_values(patient: Patient) -> str:
    """Remove the vectors that are not, of all."""
    return _forget(patient, _wrong_values(patient, thorough=True)[0])


def _wrong_values(patient: Patient, thorough: bool) -> tuple[list[int], int]:
    """The ids of the vectors that are wrong, and how many were looked at."""
    wrong: list[int] = []
    looked = 0
    for space in spaces(patient.connection):
        for ids, matrix in _blocks(patient.connection, space, thorough):
            with np.errstate(all="ignore"):
                norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
                sound = np.abs(norms - 1) < _TOLERANCE  # False where it is no number
            wrong += [ids[index] for index in np.flatnonzero(~sound)]
            looked += len(ids)
    return wrong, looked


def _blocks(
    connection: sqlite3.Connection, space: Space, thorough: bool
) -> Iterator[tuple[tuple[int, ...], NDArray[np.float32]]]:
    """Ids and vectors (n, dim), block by block: all of them, or evenly spaced blocks."""
    first, last = connection.execute(
        "SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM vectors WHERE space_id = ?",
        (space.id,),
    ).fetchone()
    all_of_it = thorough or counts.vectors(connection, space) <= ENOUGH
    step = _BLOCK if all_of_it else max(_BLOCK, (last - first + 1) * _BLOCK // ENOUGH)
    for start in range(first, last + 1, step):
        rows = connection.execute(
            """SELECT id, vector FROM vectors
            WHERE id >= ? AND id < ? AND +space_id = ? AND length(vector) = ?""",
            (start, start + _BLOCK, space.id, space.vector_bytes),
        ).fetchall()
        joined = b"".join(vector for _, vector in rows)
        yield (
            tuple(vector_id for vector_id, _ in rows),
            np.frombuffer(joined, "<f4").reshape(-1, space.dim),
        )


def _forget(patient: Patient, ids: Sequence[int]) -> str:
    """Remove vectors, and have the index's owner take them out; the next crawl makes them again."""
    with patient.database.transaction() as connection:
        for vector_id in ids:
            connection.execute(
                """INSERT OR IGNORE INTO unwanted_vectors SELECT collection, content_hash
                FROM indexed_vectors JOIN vectors ON vectors.id = vector_id
                JOIN images ON images.id = image_id WHERE vector_id = ?""",
                (vector_id,),
            )
            connection.execute("DELETE FROM indexed_vectors WHERE vector_id = ?", (vector_id,))
            connection.execute("DELETE FROM vectors WHERE id = ?", (vector_id,))
    return f"Damaged vectors removed, for the next crawl to make again: {len(ids):,}."
