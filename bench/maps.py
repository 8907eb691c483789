"""Maps: what they cost, how well their clusters are the folders, and what asking them finds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.corpora import openclipart
from bench.measure import run
from bench.table import megabytes, table
from library import meta
from library.database import Database
from library.matrix import Matrix
from library.vectors import Vectors
from mlx_clip import load_encoder
from search import prompts
from search.clusters import Clustering, Recipe, cluster, means
from search.projection import fit_pca

COUNTS = (2_000, 10_000, 50_000)
_SEEDS = 5
_FIRST = 3
_STEPS = ("pca", "neighbours", "umap", "plane", "clusters")
_QUALITY = "## Maps: quality\n\n"

Labels = NDArray[np.integer]


def maps_section() -> str:
    """Time and memory."""
    rows = []
    for count in COUNTS:
        measured = run(["-m", "bench.maps_child", str(count)])
        told = json.loads(measured.output)
        rows.append(
            [
                f"{count:,}",
                *(
                    f"{told['seconds'][step]:.1f} s, {megabytes(told['peaks'][step])}"
                    for step in _STEPS
                ),
                f"{sum(told['seconds'].values()):.0f} s",
                megabytes(measured.peak_bytes),
                f"{told['placing']:.2f} s",
            ]
        )
    head = ("vectors", *_STEPS, "all", "peak", "placing 1,000")
    return (
        "## Maps: time and memory\n\n"
        "Vectors of 512 dimensions that lie as a model's do, fifty to a cluster, each number in a\n"
        "process of its own: the seconds of each step, and the resident memory at most up to its\n"
        "end. `umap` is the embedding of 10 dimensions and has numba's compiling in it, `plane`\n"
        "that of 2, `clusters` KMeans for each number up to 64 with its silhouette.\n\n"
        f"{table(head, rows)}\n"
    )


def map_quality_section(work: Path) -> str:
    """Clusters beside folders, and questions."""
    folder = openclipart()
    if folder is None:
        return f"{_QUALITY}Not measured: Debian's package openclipart-png is not installed.\n"
    names, labels, vectors = _labelled(folder, work / "maps-openclipart")
    number = len(names)
    raw = _kmeans(vectors, number)
    pca = fit_pca(vectors)
    reduced = _kmeans((vectors - pca.mean) @ pca.components.T, number)
    recipe = Recipe(clusters=number)
    maps = [cluster(vectors, replace(recipe, seed=seed)) for seed in range(_SEEDS)]
    chosen = cluster(vectors, Recipe())
    rows = [
        _compared(f"KMeans on the vectors, {number} clusters", raw, labels),
        _compared(f"KMeans on PCA, {number} clusters", reduced, labels),
        _compared(f"the map, {number} clusters", maps[0].labels, labels),
        _compared(f"the map, {len(chosen.centroids)} clusters, as chosen", chosen.labels, labels),
    ]
    shown = (
        f"{_QUALITY}The {len(vectors):,} drawings of Debian's openclipart-png in {number}\n"
        "folders, by the starter model: the clusters beside the folders. Adjusted mutual\n"
        "information is 0 by chance and 1 for the same; purity is the share that lies in the\n"
        "folder that its cluster has most of.\n\n"
        f"{table(('clusters', 'AMI', 'purity'), rows)}\n"
    )
    asked = _asking(names, labels, vectors, maps[0].labels)
    return f"{shown}\n{_faithful(vectors, maps)}\n{asked}"


def _labelled(folder: Path, data: Path) -> tuple[list[str], Labels, Vectors]:
    """The folders' names, the folder of each picture, and its vector."""
    run(["-m", "crawler", folder, "--data", data, "--json"], {"CLIP_MODEL": "starter"})
    database = Database(data / "library.sqlite")
    try:
        space = meta.space(database.connection)
        assert space is not None
        rows = Matrix(data, database, space).rows()
        found = dict(
            database.connection.execute(
                "SELECT image_id, path FROM files WHERE image_id IS NOT NULL AND failure IS NULL"
            ).fetchall()
        )
        inside = [found[image_id].decode() for image_id in rows.image_ids.tolist()]
        of = [Path(path).relative_to(folder).parts[0] for path in inside]
        names = sorted(set(of))
        return names, np.array([names.index(name) for name in of]), np.array(rows.vectors)
    finally:
        database.close()


def _kmeans(points: Vectors, number: int) -> Labels:
    from sklearn.cluster import KMeans

    labels: Labels = KMeans(number, n_init=4, random_state=0).fit_predict(points)
    return labels


def _compared(name: str, clusters: Labels, folders: Labels) -> list[str]:
    from sklearn.metrics import adjusted_mutual_info_score

    most = sum(np.bincount(folders[clusters == one]).max() for one in np.unique(clusters))
    information = adjusted_mutual_info_score(folders, clusters)
    return [name, f"{information:.3f}", f"{most / len(folders):.3f}"]


def _faithful(vectors: Vectors, maps: Sequence[Clustering]) -> str:
    from sklearn.manifold import trustworthiness
    from sklearn.metrics import adjusted_rand_score

    agreement = [
        adjusted_rand_score(one.labels, other.labels) for one, other in combinations(maps, 2)
    ]
    trust = trustworthiness(vectors, maps[0].plane, n_neighbors=15, metric="cosine")
    pca = fit_pca(vectors, 2)
    two = (vectors - pca.mean) @ pca.components.T
    flat = trustworthiness(vectors, two, n_neighbors=15, metric="cosine")
    return (
        f"Trustworthiness of the plane, 15 neighbours: {trust:.3f} (of the first two components\n"
        f"of PCA: {flat:.3f}). Over {_SEEDS} seeds the maps' clusters agree with an adjusted Rand\n"
        f"index of {np.mean(agreement):.3f} on the average, {min(agreement):.3f} at least.\n"
    )


def _asking(names: list[str], folders: Labels, vectors: Vectors, clusters: Labels) -> str:
    encoder = load_encoder("starter")
    centroids = means(vectors, clusters.astype(np.int32))
    found = 0
    for number, name in enumerate(names):
        holds_most = np.bincount(clusters[folders == number]).argmax()
        scores = centroids @ prompts.embed(encoder, name.replace("_", " "))
        found += int(holds_most) in np.argsort(-scores)[:_FIRST].tolist()
    return (
        f"Asking for each of the {len(names)} folders by its name: the cluster that holds most\n"
        f"of it is among the first {_FIRST} of {len(centroids)} for {found / len(names):.0%} of\n"
        f"them; by chance {_FIRST / len(centroids):.0%}.\n"
    )
