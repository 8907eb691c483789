"""`python -m crawler.importers civitai`: collections of pictures from elsewhere."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from crawler.importers.civitai import Imported, Importer
from crawler.importers.civitai_api import SITE, SORTS, Asked, Lora
from crawler.importers.polite import PoliteClient, UnreachableError
from crawler.signals import asked_to_stop
from library.database import Database
from library.errors import LibraryError
from library.settings import Settings, settings_for

EXIT_DONE, EXIT_FAILED, EXIT_UNUSABLE, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives its exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = settings_for(DATA_DIR=options.data)
        logging.basicConfig(level=settings.log_level)
        # It tells of every request.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        return _civitai(settings, options)
    except UnreachableError as error:
        print(
            f"importer: {error}. What was fetched is kept: run the same command again.",
            file=sys.stderr,
        )
        return EXIT_FAILED
    except LibraryError as error:
        print(f"importer: {error}", file=sys.stderr)
        return EXIT_UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m crawler.importers")
    sources = parser.add_subparsers(metavar="SOURCE", required=True)
    civitai = sources.add_parser(
        "civitai",
        help="LoRA models of civitai.com and the pictures that were made with them",
        epilog="CIVITAI_API_KEY in the environment is sent with it. Interrupt it at any time: run "
        "again, it fetches what is missing.",
    )
    civitai.add_argument("--base-model", metavar="NAME", help='such as "SDXL 1.0"')
    civitai.add_argument("--tag", metavar="T", help="models with this tag alone")
    civitai.add_argument("--query", metavar="Q", help="models whose name has this in it")
    civitai.add_argument("--sort", choices=SORTS, default=SORTS[0])
    civitai.add_argument("--models", metavar="N", type=_number, default=100, help="(100)")
    civitai.add_argument("--per-model", metavar="K", type=_number, default=20, help="(20)")
    civitai.add_argument(
        "--unsafe", action="store_true", help="pictures that are not safe for work, too"
    )
    civitai.add_argument("--into", metavar="DIR", type=Path, help="(DATA_DIR/imported/civitai)")
    civitai.add_argument("--data", metavar="DIR", help="the library's folder (DATA_DIR)")
    civitai.add_argument("--site", metavar="URL", default=SITE, help=f"({SITE})")
    return parser


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text[:9]) < 1_000_000:
        return int(text)
    raise argparse.ArgumentTypeError("a whole number from 1 to 999999")


def _civitai(settings: Settings, options: argparse.Namespace) -> int:
    stopped = asked_to_stop()
    folder = options.into or settings.data_dir / "imported" / "civitai"
    asked = Asked(options.base_model, options.tag, options.query, options.sort, options.unsafe)
    key = os.environ.get("CIVITAI_API_KEY") or None
    with (
        closing(Database(settings.database_path)) as database,
        PoliteClient(options.site.rstrip("/"), stopped.wait, key) as client,
    ):
        importer = Importer(database, client, folder, settings.max_image_megapixels, _tell)
        done = importer.run(asked, options.models, options.per_model)
    print("\n".join(_sentences(done, folder)))
    return EXIT_INTERRUPTED if done.stopped else EXIT_DONE


def _tell(so_far: Imported, lora: Lora | None) -> None:
    if lora is not None:
        figures = f"{so_far.fetched:,} pictures fetched, {so_far.known:,} known"
        print(f"{so_far.items:,} {lora.about.name}: {figures}", file=sys.stderr, flush=True)


def _sentences(done: Imported, folder: Path) -> list[str]:
    lines = [
        f"{done.items:,} models; {done.fetched:,} pictures fetched, {done.known:,} known before."
    ]
    if done.damaged:
        lines.append(f"{done.damaged:,} are damaged or not there, and were left out.")
    if done.later:
        lines.append(f"{done.later:,} could not be fetched now: run the same command again.")
    if done.stopped:
        lines.append("Stopped: run the same command again to go on.")
    lines.append(f'To read them: python -m crawler "{folder}"')
    return lines


if __name__ == "__main__":
    sys.exit(main())
