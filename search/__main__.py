"""`python -m search map build|grow|list|show|compare|rename|delete`: maps of a library."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from library.database import Database
from library.errors import LibraryError, SettingsError
from library.settings import Settings, settings_for
from mlx_clip import EncoderError
from search import map_commands
from search.errors import SearchError

EXIT_DONE, EXIT_FAILED, EXIT_UNUSABLE, EXIT_INTERRUPTED = 0, 1, 2, 130

Command = Callable[[Settings, Database, argparse.Namespace], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives its exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = settings_for(DATA_DIR=options.data)
        logging.basicConfig(level=settings.log_level)
        if not settings.database_path.exists():
            raise SettingsError(f"there is no library in {settings.data_dir}")
        run: Command = options.run
        with closing(Database(settings.database_path)) as database:
            run(settings, database, options)
        return EXIT_DONE
    except (LibraryError, EncoderError) as error:
        print(f"search: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    except SearchError as error:
        print(f"search: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("search: stopped; nothing was changed", file=sys.stderr)
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m search")
    subjects = parser.add_subparsers(metavar="SUBJECT", required=True)
    subject = subjects.add_parser("map", help="pictures as points in clusters")
    commands = subject.add_subparsers(metavar="COMMAND", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", metavar="DIR", help="the library's folder (DATA_DIR)")
    shared.add_argument("--json", action="store_true", help="print JSON, progress included")
    drawn = argparse.ArgumentParser(add_help=False)
    drawn.add_argument("--png", metavar="FILE", type=Path, help="draw it, too")

    def add(
        name: str, run: Command, help: str, *parents: argparse.ArgumentParser
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help, parents=[shared, *parents])
        command.set_defaults(run=run)
        return command

    _add_build(add("build", map_commands.build, "build a map, or one anew", drawn))
    grow = add("grow", map_commands.grow_map, "place what came into the library since")
    add("list", map_commands.list_maps, "every map")
    show = add("show", map_commands.show, "how a map was made, and its clusters", drawn)
    compare = add("compare", map_commands.compare_maps, "how much two maps agree")
    rename = add("rename", map_commands.rename, "another name for a map, or a cluster of it")
    delete = add("delete", map_commands.delete, "forget a map; its pictures stay")
    for command in (grow, show, compare, rename, delete):
        command.add_argument("name", metavar="NAME", help="the map")
    compare.add_argument("other", metavar="OTHER", help="the other map")
    rename.add_argument("new", metavar="NEW", help="what to call it; '' takes a cluster's away")
    rename.add_argument("--cluster", metavar="N", type=int, help="the cluster, by its number")
    return parser


def _add_build(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", nargs="?", default="library", help="(library)")
    command.add_argument("--collection", metavar="NAME", help="of a collection's pictures alone")
    command.add_argument("--method", choices=("kmeans", "hdbscan"), default="kmeans")
    command.add_argument(
        "--clusters", metavar="K", type=int, help="for kmeans; without it, by the best silhouette"
    )
    command.add_argument(
        "--smallest", metavar="N", type=int, help="for hdbscan: the fewest pictures of a cluster"
    )
    command.add_argument("--seed", metavar="N", type=int, default=0, help="(0)")


if __name__ == "__main__":
    sys.exit(main())
