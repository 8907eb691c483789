"""`python -m crawler FOLDER...`: crawl folders into the library."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import closing

from crawler.crawl import Crawl, Options, Summary
from crawler.excludes import Excludes
from crawler.model import open_encoder_later
from crawler.roots import outermost
from crawler.signals import asked_to_stop
from crawler.terminal import display, sentences
from library import collections, excludes, files
from library.allocator import give_back_large_blocks
from library.database import Database
from library.errors import LibraryError, SettingsError
from library.models import display_path
from library.settings import Settings, settings_for
from mlx_clip.errors import EncoderError

EXIT_DONE, EXIT_FAILED, EXIT_UNUSABLE, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives its exit status."""
    give_back_large_blocks()
    options = _parser().parse_args(arguments)
    try:
        settings = settings_for(DATA_DIR=options.data, CLIP_MODEL=options.model)
        logging.basicConfig(level=settings.log_level)
        return _crawl(settings, options)
    except (SettingsError, EncoderError) as error:
        print(f"crawler: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    except LibraryError as error:
        print(f"crawler: {error}", file=sys.stderr)
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m crawler",
        description="Find the pictures below some folders, and bring the library up to date.",
        epilog="Interrupt it at any time: the next run does what is missing.",
    )
    parser.add_argument(
        "folders",
        nargs="*",
        metavar="FOLDER",
        help="where to look; without any: IMAGE_DIRECTORY, else the folders crawled before",
    )
    parser.add_argument(
        "--collection",
        metavar="FOLDER",
        action="append",
        default=[],
        help="crawl this folder, too, and take each folder in it for an item of a collection: an"
        " artist, an album, a chat. May be given several times. Remembered for later crawls",
    )
    parser.add_argument(
        "--exclude",
        metavar="PATTERN",
        action="append",
        default=[],
        help="pass over files and folders of this name (*, ?, [ab]) or, with a slash in it, of this"
        " path below the folder that is crawled (** for any folders); a slash at its end means"
        " folders only. May be given several times. Remembered for later crawls; what was known of"
        " them counts as missing",
    )
    parser.add_argument(
        "--include",
        metavar="PATTERN",
        action="append",
        default=[],
        help="no longer exclude this pattern",
    )
    parser.add_argument(
        "--prune", action="store_true", help="forget files that are gone, and their pictures"
    )
    parser.add_argument(
        "--rehash",
        action="store_true",
        help="read every file again, to find what changed though its size and date did not",
    )
    parser.add_argument(
        "--retry", action="store_true", help="try files again that could not be decoded"
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="afterwards, follow the folders: take in what changes there until Ctrl-C",
    )
    parser.add_argument("--data", metavar="DIR", help="the library's folder (DATA_DIR)")
    parser.add_argument("--model", metavar="NAME", help="the model (CLIP_MODEL)")
    parser.add_argument("--json", action="store_true", help="end with the summary as one object")
    return parser


def _options(parsed: argparse.Namespace) -> Options:
    """What the crawl is asked beside the folders. Raises SettingsError for what is no pattern."""
    exclude, include = (
        tuple(map(os.fsencode, given)) for given in (parsed.exclude, parsed.include)
    )
    for pattern in exclude:
        try:
            Excludes([pattern])
        except ValueError as error:
            raise SettingsError(f"--exclude {os.fsdecode(pattern)}: {error}") from error
    return Options(exclude, include, parsed.rehash, parsed.retry, parsed.prune)


def _crawl(settings: Settings, parsed: argparse.Namespace) -> int:
    options = _options(parsed)
    folders = [os.fsencode(folder) for folder in (*parsed.folders, *parsed.collection)]
    if folders and not any(os.path.isdir(folder) for folder in folders):
        raise SettingsError(f"no such folder: {', '.join(map(os.fsdecode, folders))}")
    database = Database(settings.database_path)
    with closing(database), database.in_words():
        connection = database.connection
        _check_includes(options, excludes.excludes(connection))
        roots = outermost(folders or _known_roots(settings, database), files.roots(connection))
        _remember_collections(database, parsed.collection)
        encoder = open_encoder_later(connection, settings)
        interrupted = asked_to_stop()

        def crawl() -> bool:
            """Crawl and say what came of it; gives whether it came to its end."""
            with display() as report:
                crawl = Crawl(settings, database, encoder, report, interrupted.is_set)
                summary = crawl.run(roots, options)
            _say(summary, database, parsed.json)
            return not summary.interrupted

        if parsed.watch:
            from crawler.watch import Watch

            quiet = Crawl(settings, database, encoder, cancelled=interrupted.is_set)
            Watch(settings, database, quiet, roots, _say_update, interrupted).run(crawl)
            return EXIT_DONE
        return EXIT_DONE if crawl() else EXIT_INTERRUPTED


def _check_includes(options: Options, known: Sequence[bytes]) -> None:
    for pattern in options.include:
        if pattern not in known:
            names = ", ".join(map(os.fsdecode, known)) or "nothing"
            raise SettingsError(
                f"--include {os.fsdecode(pattern)}: that is not excluded, but {names}"
            )


def _remember_collections(database: Database, folders: Sequence[str]) -> None:
    """Spelled as the crawl spells them; which items they have, it finds out."""
    for folder in folders:
        if not os.path.isdir(folder):
            raise SettingsError(f"--collection {folder}: no such folder")
        (path,) = outermost([os.fsencode(folder)], files.roots(database.connection))
        with database.transaction() as connection:
            collections.remember(connection, display_path(os.path.basename(path)), "folder", path)


def _known_roots(settings: Settings, database: Database) -> list[bytes]:
    if settings.image_directory:
        return [os.fsencode(settings.image_directory)]
    known = files.roots(database.connection)
    if not known:
        raise SettingsError("which folder? Name one: python -m crawler FOLDER")
    return known


def _say(summary: Summary, database: Database, as_json: bool) -> None:
    lines = sentences(summary, files.failures(database.connection))
    print("\n".join(lines), file=sys.stderr if as_json else sys.stdout)
    if as_json:
        print(json.dumps(summary.as_json()))


def _say_update(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
