"""`python -m library status|failures|doctor|backup|restore`: the library as a whole."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from library import backup, files, status, status_text
from library.database import Database
from library.errors import LibraryError, SettingsError
from library.models import Failure, display_path
from library.settings import Settings, settings_for

if TYPE_CHECKING:
    from library.doctor import Result

EXIT_WELL, EXIT_WRONG, EXIT_UNUSABLE = 0, 1, 2
_REASONS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives its exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = settings_for(DATA_DIR=options.data)
        if not settings.database_path.exists() and options.run is not _restore:
            raise SettingsError(f"there is no library in {settings.data_dir}")
        run: int = options.run(settings, options)
        return run
    except LibraryError as error:
        print(f"library: {error}", file=sys.stderr)
        return EXIT_UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m library", description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", metavar="DIR", help="the library's folder (DATA_DIR)")
    shared.add_argument("--json", action="store_true", help="print one JSON object")
    for name, run, help in (
        ("status", _status, "what the library holds"),
        ("failures", _failures, "every file that could not be read, and why"),
        ("doctor", _doctor, "look for whatever is wrong; exit status 1 when anything is"),
    ):
        command = commands.add_parser(name, help=help, parents=[shared])
        command.set_defaults(run=run)
    _add_doctor_options(command)
    _add_copies(commands, shared)
    return parser


def _add_copies(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    command = commands.add_parser(
        "backup", help="copy the database, whoever is at work", parents=[shared]
    )
    command.add_argument(
        "file", nargs="?", type=Path, help="a new file, or a folder (DATA_DIR/backups)"
    )
    command.set_defaults(run=_backup)
    command = commands.add_parser(
        "restore", help="put a backup in the place of the database", parents=[shared]
    )
    command.add_argument("file", type=Path, help="what `backup` has written")
    command.set_defaults(run=_restore)


def _add_doctor_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--mend",
        action="store_true",
        help="mend what is found: remove what is wrong and derived, for the next crawl to make "
        "again, and save what can be read of a damaged database",
    )
    command.add_argument(
        "--thorough",
        action="store_true",
        help="look at all of a large library, not at parts; minutes for a million pictures",
    )


def _status(settings: Settings, options: argparse.Namespace) -> int:
    with closing(Database(settings.database_path)) as database:
        now = status.look(settings, database)
    print(json.dumps(now.as_json()) if options.json else "\n".join(status_text.lines(now)))
    return EXIT_WELL


def _failures(settings: Settings, options: argparse.Namespace) -> int:
    with closing(Database(settings.database_path)) as database:
        failed = files.failures(database.connection)
    if options.json:
        listed = [{"path": display_path(f.path), "reason": f.reason} for f in failed]
        print(json.dumps({"failures": listed}))
    else:
        for failure in failed:
            print(f"{display_path(failure.path)}: {failure.reason}")
        print(_count(failed))
    return EXIT_WELL


def _count(failed: Sequence[Failure]) -> str:
    """How many, and of the most frequent reasons each."""
    if not failed:
        return "Every file could be read."
    reasons = Counter(failure.reason for failure in failed).most_common(_REASONS + 1)
    shown = "; ".join(f"{number:,} x {reason}" for reason, number in reasons[:_REASONS])
    more = "; and others" if len(reasons) > _REASONS else ""
    return (
        f"Files that could not be read: {len(failed):,} ({shown}{more}). "
        "python -m crawler --retry tries them again."
    )


def _doctor(settings: Settings, options: argparse.Namespace) -> int:
    from library import doctor  # NumPy, Pillow and more, which the other commands need not load

    if options.mend:
        done = list(doctor.mend(settings, options.thorough))
        print(
            json.dumps({"mended": done})
            if options.json
            else "\n".join(done or ["Nothing to mend."])
        )
        return EXIT_WELL
    results = []
    for result in doctor.examine(settings, options.thorough):
        results.append(result)
        if not options.json:
            _say(result)
    wrong = sum(result.finding.state == "wrong" for result in results)
    if options.json:
        print(json.dumps({"wrong": wrong, "checks": [result.as_json() for result in results]}))
    else:
        print(f"{wrong} of {len(results)} checks found something." if wrong else "All is well.")
    return EXIT_WRONG if wrong else EXIT_WELL


def _backup(settings: Settings, options: argparse.Namespace) -> int:
    path = backup.back_up(settings, options.file)
    if options.json:
        print(json.dumps({"backup": str(path), "bytes": path.stat().st_size}))
    else:
        print(
            f"{path} holds everything but thumbnails and index, which come from it and the "
            "pictures. To go back to it: python -m library restore FILE"
        )
    return EXIT_WELL


def _restore(settings: Settings, options: argparse.Namespace) -> int:
    aside = backup.restore(settings, options.file)
    if options.json:
        print(json.dumps({"restored": str(options.file), "before": aside and str(aside)}))
    else:
        kept = f" What it was before is kept in {aside}." if aside else ""
        print(f"The library is what it was in {options.file}.{kept} The index is made again.")
    return EXIT_WELL


def _say(result: Result) -> None:
    print(f"{result.finding.state:>7}  {result.name:<27}  {result.finding.text}", flush=True)
    if result.finding.command:
        print(f"{'':>9}{'':<27}  {result.finding.command}")


if __name__ == "__main__":
    sys.exit(main())
