"""The commands of `python -m search map`: what each does and prints."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from library import map_points, maps
from library.database import Database
from library.figures import duration
from library.map_points import NOISE
from library.maps import Map
from library.matrix import Matrix
from library.settings import Settings
from search import map_picture
from search.clusters import Recipe
from search.errors import MapError
from search.library_model import library_encoder, library_space
from search.map_build import Builder, Wanted, check_name
from search.map_compare import compare
from search.map_grow import age_of, grow, is_stale, share_changed
from search.steps import STEPS, At

WORDS = {
    "vectors": "Reading the vectors",
    "pca": "PCA",
    "neighbours": "Nearest neighbours",
    "umap": "UMAP, for the clusters",
    "plane": "UMAP, for the eye",
    "clusters": "Clusters",
    "names": "Labels",
    "placing": "Placing new pictures",
}
"""What a step is called."""


def build(settings: Settings, database: Database, options: argparse.Namespace) -> None:
    """Build a map, or one that is there anew."""
    recipe = Recipe(options.method, options.clusters, options.smallest, seed=options.seed)
    connection = database.connection
    space = library_space(connection)
    matrix = Matrix(settings.data_dir, database, space)
    builder = Builder(database, space, matrix, library_encoder(connection, settings))
    tell = _tell_json if options.json else _tell
    map_id = builder.build(Wanted(options.name, options.collection, recipe), tell)
    one = maps.get(connection, map_id)
    assert one is not None
    if options.png:
        _draw(database, one, options.png)
    print(json.dumps({"map": _as_json(database, one)}) if options.json else _line(database, one))


def grow_map(settings: Settings, database: Database, options: argparse.Namespace) -> None:
    """Place what came into the library since."""
    one = _named(database, options.name)
    space = library_space(database.connection)
    if options.json:
        _tell_json(At("placing"))
    grown = grow(database, Matrix(settings.data_dir, database, space), space, one)
    if options.json:
        print(json.dumps({"placed": grown.placed, "map": _as_json(database, one)}))
    else:
        print(f"Placed {grown.placed:,} new pictures.\n{_line(database, one)}")


def list_maps(settings: Settings, database: Database, options: argparse.Namespace) -> None:
    """Every map, a line each."""
    known = maps.maps(database.connection)
    if options.json:
        print(json.dumps({"maps": [_as_json(database, one) for one in known]}))
        return
    for one in known:
        print(_line(database, one))
    if not known:
        print("No map yet: python -m search map build NAME")


def show(settings: Settings, database: Database, options: argparse.Namespace) -> None:
    """One map: how it was made, and its clusters."""
    one = _named(database, options.name)
    if options.png:
        _draw(database, one, options.png)
    clusters = maps.clusters(database.connection, one.id)
    sizes = map_points.sizes(database.connection, one.id)
    if options.json:
        listed = [{**asdict(each), "pictures": sizes.get(each.number, 0)} for each in clusters]
        print(json.dumps({**_as_json(database, one), "clusters": listed}))
        return
    print(_line(database, one))
    print(", ".join(f"{name} {value}" for name, value in one.parameters.items()))
    if curve := one.figures["silhouettes"]:
        print("silhouettes " + ", ".join(f"{k}: {score}" for k, score in curve))
    for each in clusters:
        name = f"“{each.name}”: " if each.name else ""
        print(
            f"{each.number + 1:>4}  {sizes.get(each.number, 0):>7,} pictures, "
            f"spread {each.spread:.2f}  {name}{', '.join(each.labels)}"
        )
    if noise := sizes.get(NOISE, 0):
        print(f"      {noise:>7,} pictures in no cluster")


def rename(settings: Settings, database: Database, options: argparse.Namespace) -> None:
    """Give a map, or a cluster of it, another name."""
    one = _named(database, options.name)
    new = check_name(options.new) if options.new or options.cluster is None else None
    with database.transaction() as connection:
        if options.cluster is None:
            if not maps.rename(connection, one.id, str(new)):
                raise MapError(f"There is a map “{new}” already.")
        elif not maps.name_cluster(connection, one.id, options.cluster - 1, new):
            raise MapError(f"The map “{one.name}” has no cluster {options.cluster}.")


def delete(settings: Settings, database: Database, options: argparse.Namespace) -> None:
    """Forget a map; its pictures stay."""
    one = _named(database, options.name)
    with database.transaction() as connection:
        maps.delete(connection, one.id)


def compare_maps(settings: Settings, database: Database, options: argparse.Namespace) -> None:
    """How much two maps agree."""
    connection = database.connection
    first, second = (_named(database, name) for name in (options.name, options.other))
    found = compare(*(map_points.points(connection, one.id) for one in (first, second)))
    if options.json:
        print(json.dumps(asdict(found)))
        return
    print(
        f"{found.pictures:,} pictures in clusters of both: adjusted mutual information "
        f"{found.mutual_information:.3f}, adjusted Rand index {found.rand_index:.3f} "
        "(1: the same, 0: by chance)"
    )
    for number, other, overlap in found.matches:
        print(f"{number + 1:>4} is most like {other + 1:>4}, overlap {overlap:.2f}")


def _named(database: Database, name: str) -> Map:
    one = maps.named(database.connection, name)
    if one is None:
        known = ", ".join(each.name for each in maps.maps(database.connection)) or "none yet"
        raise MapError(f"There is no map “{name}”. There are: {known}.")
    return one


def _line(database: Database, one: Map) -> str:
    age = age_of(database, one)
    figures, method = one.figures, one.parameters["method"]
    changed = ""
    if age.waiting or age.gone or age.placed:
        changed = (
            f"; since then {age.placed:,} placed, {age.waiting:,} waiting, {age.gone:,} gone "
            f"({share_changed(age):.0%}{', stale: build it anew' if is_stale(age) else ''})"
        )
    return (
        f"{one.name}: {age.points:,} pictures in {figures['clusters']} clusters ({method}), "
        f"{figures['noise']:,} in none, {figures['variance_kept']:.0%} of the variance kept, "
        f"built in {duration(figures['seconds']['all'])}{changed}"
    )


def _as_json(database: Database, one: Map) -> dict[str, Any]:
    age = age_of(database, one)
    return {**asdict(one), "age": {**asdict(age), "stale": is_stale(age)}}


def _draw(database: Database, one: Map, path: Path) -> None:
    connection = database.connection
    image = map_picture.draw(
        map_points.points(connection, one.id),
        maps.clusters(connection, one.id),
        map_points.sizes(connection, one.id),
    )
    try:
        map_picture.save(path, image)
    except OSError as error:
        raise MapError(f"cannot write {path}: {error.strerror or error}") from error


def _tell(at: At) -> None:
    """A line a step."""
    if at.done is None:
        place = f"{STEPS.index(at.step) + 1}/{len(STEPS)} "
        print(f"{place}{WORDS[at.step]}", file=sys.stderr, flush=True)


def _tell_json(at: At) -> None:
    """An object a line, for the site."""
    print(json.dumps({"at": asdict(at)}), flush=True)
