"""`python -m library status|failures`: what the library holds, and what could not be read."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from library import counts, files, vectors
from library.database import Database
from library.errors import IndexBusyError, LibraryError, SettingsError
from library.index import VectorIndex
from library.models import display_path
from library.settings import Settings, load_settings, read_environment
from library.vectors import Space


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives its exit status: 1 from `status` when the index disagrees."""
    options = _parser().parse_args(arguments)
    environment = read_environment()
    if options.data:
        environment["DATA_DIR"] = options.data
    try:
        settings = load_settings(environment)
        if not settings.database_path.exists():
            raise SettingsError(f"there is no library in {settings.data_dir}")
        database = Database(settings.database_path)
        try:
            if options.command == "status":
                return _status(settings, database, options.json)
            return _failures(database, options.json)
        finally:
            database.close()
    except LibraryError as error:
        print(f"library: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m library", description=__doc__)
    parser.add_argument("command", choices=("status", "failures"))
    parser.add_argument("--data", metavar="DIR", help="the library's folder (DATA_DIR)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _status(settings: Settings, database: Database, as_json: bool) -> int:
    reports = [
        _space_status(settings, database, space) for space in vectors.spaces(database.connection)
    ]
    if as_json:
        print(json.dumps({"spaces": reports}))
    for report in [] if as_json else reports:
        print("\n".join(f"{name:>12}: {value}" for name, value in report.items()))
    if not reports and not as_json:
        print("nothing crawled yet")
    return 0 if all(report["agrees"] is not False for report in reports) else 1


def _space_status(settings: Settings, database: Database, space: Space) -> dict[str, object]:
    """Counts of one space, and whether its index really holds what the database says."""
    holds: int | None = None
    note = "the index holds every vector"
    try:
        index = VectorIndex(settings.data_dir, database, space, "python -m library status")
        try:
            holds = index.count()
        finally:
            index.close()
    except IndexBusyError as error:
        note = f"not looked into: {error}"
    now = counts.count(database.connection, space)
    agrees = None if holds is None else holds == now.vectors == now.indexed
    if agrees is False:
        note = f"the index holds {holds} of {now.vectors} vectors: crawl again to complete it"
    return {"space": space.key, **asdict(now), "holds": holds, "agrees": agrees, "note": note}


def _failures(database: Database, as_json: bool) -> int:
    failed = files.failures(database.connection)
    if as_json:
        listed = [{"path": display_path(f.path), "reason": f.reason} for f in failed]
        print(json.dumps({"failures": listed}))
    for failure in [] if as_json else failed:
        print(f"{display_path(failure.path)}: {failure.reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
