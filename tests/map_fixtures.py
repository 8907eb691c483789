"""A library of vectors that were made up, and maps of it that took no half minute to build."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from library import images, map_points, maps, meta, spaces, vectors
from library.database import Database
from library.map_points import SIDE, Numbers, Points
from library.maps import Cluster, NewMap
from library.matrix import Matrix
from library.models import Metadata
from library.settings import Settings
from library.spaces import Space
from library.vectors import Vectors
from mlx_clip import Encoder
from search.__main__ import main
from search.map_build import Builder

DIM = 576
"""The starter model's."""


def groups(sizes: Sequence[int], seed: int = 0, noise: float = 0.35) -> Vectors:
    """Unit vectors around as many directions as there are sizes, one group after the other."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(len(sizes), DIM)).astype(np.float32)
    found = np.repeat(directions, sizes, axis=0)
    found += noise * rng.normal(size=found.shape).astype(np.float32)
    unit: Vectors = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return unit


def fill_library(
    database: Database, space: Space, made: Vectors, folders: Sequence[str]
) -> list[int]:
    """A picture with a present file in its folder for each vector; gives the pictures' ids."""
    ids = []
    with database.transaction() as connection:
        (known,) = connection.execute("SELECT count(*) FROM images").fetchone()
        for number, (vector, folder) in enumerate(zip(made, folders, strict=True), start=known):
            digest = hashlib.blake2b(str(number).encode(), digest_size=16).digest()
            metadata = Metadata(40, 30, "PNG", 1, 10, "#808080")
            image_id = images.add(connection, digest, metadata)
            vectors.add(connection, space, image_id, vector)
            path = folder.encode()
            connection.execute("INSERT OR IGNORE INTO folders (path) VALUES (?)", (path,))
            (folder_id,) = connection.execute(
                "SELECT id FROM folders WHERE path = ?", (path,)
            ).fetchone()
            connection.execute(
                """INSERT INTO files (path, folder_id, size, mtime_ns, image_id)
                VALUES (?, ?, 10, 0, ?)""",
                (path + b"/%d.png" % number, folder_id, image_id),
            )
            ids.append(image_id)
    return ids


def space_of(database: Database, encoder: Encoder) -> Space:
    return spaces.space(database.connection, encoder.space, encoder.dim)


def put_map(
    database: Database,
    space: Space,
    ids: Sequence[int],
    labels: Sequence[int],
    made: Vectors,
    name: str = "made-up",
    places: tuple[Numbers, Numbers] | None = None,
) -> int:
    """A map of these pictures with these clusters, its points at `places` (x and y).

    Without any, they stand in a row by cluster.
    """
    numbers = np.array(labels, np.int32)
    count = int(numbers.max()) + 1
    centroids = np.stack([made[numbers == one].mean(axis=0) for one in range(count)])
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    clusters = tuple(
        Cluster(
            one,
            SIDE * (one + 1) // (count + 1),
            SIDE // 2,
            0.2,
            (f"label {one}", "another"),
            tuple(int(ids[at]) for at in np.flatnonzero(numbers == one)[:6]),
        )
        for one in range(count)
    )
    row = (SIDE * (numbers + 1) // (count + 1)).astype(np.int32)
    x, y = places or (row, np.full(len(ids), SIDE // 2, np.int32))
    components = np.linalg.svd(made - made.mean(axis=0), full_matrices=False)[2][:10]
    new = NewMap(
        name,
        space,
        None,
        time.time(),
        {"method": "kmeans", "clusters": count, "smallest": None, "seed": 0},
        {
            "pictures": len(ids),
            "clusters": count,
            "noise": int((numbers < 0).sum()),
            "variance_kept": 0.9,
            "components": 10,
            "silhouettes": [[count, 0.5]],
            "spread": round(1 - float(np.linalg.norm(made.mean(axis=0))), 4),
            "seconds": {"all": 1.0},
        },
        made.mean(axis=0),
        components,
        clusters,
        centroids.astype(np.float32),
        Points(np.array(ids), numbers, x, y),
    )
    with database.transaction() as connection:
        return maps.put(connection, new)


def clusters_of(database: Database, map_id: int) -> dict[int, int]:
    """The cluster of each picture on a map."""
    found = map_points.points(database.connection, map_id)
    return dict(zip(found.image_ids.tolist(), found.clusters.tolist(), strict=True))


@pytest.fixture
def space(database: Database, encoder: Encoder) -> Space:
    meta.set_model(database.connection, "starter", encoder.space)
    return space_of(database, encoder)


@pytest.fixture
def builder(settings: Settings, database: Database, space: Space, encoder: Encoder) -> Builder:
    return Builder(database, space, Matrix(settings.data_dir, database, space), encoder)


Run = Callable[..., int]


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    yield lambda *words: main(["map", *words, "--data", str(settings.data_dir)])
