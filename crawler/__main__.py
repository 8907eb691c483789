"""`python -m crawler FOLDER...`: crawl folders into the library."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from crawler.crawl import Crawl, Summary
from crawler.model import open_encoder
from crawler.scan import outermost
from crawler.terminal import Display, sentences
from library import files
from library.database import Database
from library.errors import LibraryError, SettingsError
from library.settings import Settings, load_settings, read_environment
from mlx_clip import EncoderError

EXIT_DONE, EXIT_FAILED, EXIT_UNUSABLE, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives its exit status."""
    options = _parser().parse_args(arguments)
    overrides = {"DATA_DIR": options.data, "CLIP_MODEL": options.model}
    try:
        settings = load_settings(
            {**read_environment(), **{name: text for name, text in overrides.items() if text}}
        )
        logging.basicConfig(level=settings.log_level)
        return _crawl(settings, [os.fsencode(folder) for folder in options.folders], options.json)
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
    parser.add_argument("--data", metavar="DIR", help="the library's folder (DATA_DIR)")
    parser.add_argument("--model", metavar="NAME", help="the model (CLIP_MODEL)")
    parser.add_argument("--json", action="store_true", help="end with the summary as one object")
    return parser


def _crawl(settings: Settings, folders: list[bytes], as_json: bool) -> int:
    if folders and not any(os.path.isdir(folder) for folder in folders):
        raise SettingsError(f"no such folder: {', '.join(map(os.fsdecode, folders))}")
    database = Database(settings.database_path)
    try:
        roots = outermost(folders or _known_roots(settings, database))
        encoder = open_encoder(database.connection, settings)
        interrupted = _watch_for_signals()
        with Display() as display:
            crawl = Crawl(settings, database, encoder, display, interrupted.is_set)
            summary = crawl.run(roots)
        _say(summary, database, as_json)
        return EXIT_INTERRUPTED if summary.interrupted else EXIT_DONE
    finally:
        database.close()


def _known_roots(settings: Settings, database: Database) -> list[bytes]:
    if settings.image_directory:
        return [os.fsencode(settings.image_directory)]
    known = files.roots(database.connection)
    if not known:
        raise SettingsError("which folder? Name one: python -m crawler FOLDER")
    return known


def _watch_for_signals() -> threading.Event:
    """Ctrl-C and SIGTERM ask the crawl to end in good order; a second Ctrl-C does not ask."""
    interrupted = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    return interrupted


def _say(summary: Summary, database: Database, as_json: bool) -> None:
    lines = sentences(summary, files.failures(database.connection))
    print("\n".join(lines), file=sys.stderr if as_json else sys.stdout)
    if as_json:
        print(json.dumps(summary.as_json()))


if __name__ == "__main__":
    sys.exit(main())
