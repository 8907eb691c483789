"""Clusters so many made-up vectors; prints what each step took, and the memory up to its end."""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np

from bench.clusters import NOISE, around, centres
from search.clusters import Recipe, cluster
from search.place import nearest_clusters, places
from search.steps import At

_DIM = 512
_NEW = 1_000


def main(count: int) -> None:
    rng = np.random.default_rng(0)
    made = around(rng, centres(rng, count + _NEW, _DIM), count + _NEW, NOISE)
    old, new = made[:count], made[count:]
    peaks: dict[str, int] = {}
    at = ["vectors"]

    def report(now: At) -> None:
        if now.done is None:
            peaks[at[0]] = _peak()
            at[0] = now.step

    found = cluster(old, Recipe(), report)
    peaks[at[0]] = _peak()
    started = time.perf_counter()
    places(new, old, found.plane, found.projection)
    nearest_clusters(new, found.centroids)
    placing = time.perf_counter() - started
    print(
        json.dumps(
            {
                "seconds": found.seconds,
                "peaks": peaks,
                "placing": placing,
                "clusters": len(found.centroids),
            }
        )
    )


def _peak() -> int:
    """The most resident memory so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main(int(sys.argv[1]))
