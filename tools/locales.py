"""`python -m tools.locales [LANGUAGE]`: bring locales/ in step with the texts of the interface.

New texts are added to each language's messages.po untranslated, old ones are taken out, and what is
translated is compiled to messages.mo. A LANGUAGE that is not there yet is begun.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from web.language import LOCALES

ROOT = Path(__file__).parent.parent


def texts() -> Catalog:
    """Every text of the interface that can be translated."""
    catalog = Catalog(project="Kindred", charset="utf-8")
    for folder in ("templates", "web"):
        for name, line, message, comments, context in sorted(_extracted(folder), key=str):
            catalog.add(message, None, [(f"{folder}/{name}", line)], (), comments, context=context)
    return catalog


def catalog(language: str) -> Catalog:
    """The translations of a language, brought in step with the texts; not written."""
    found = Catalog(locale=language, project="Kindred", charset="utf-8")
    path = folder(language) / "messages.po"
    if path.exists():
        with path.open("rb") as file:
            found = read_po(file, locale=language)
    found.update(texts(), no_fuzzy_matching=True)
    found.obsolete.clear()
    return found


def folder(language: str) -> Path:
    """Where a language's translations lie."""
    return LOCALES / language / "LC_MESSAGES"


def write(language: str) -> None:
    """Write a language's messages.po and messages.mo."""
    known = catalog(language)
    folder(language).mkdir(parents=True, exist_ok=True)
    with (folder(language) / "messages.po").open("wb") as file:
        write_po(file, known, width=100, include_lineno=False, sort_output=True, omit_header=False)
    with (folder(language) / "messages.mo").open("wb") as file:
        write_mo(file, known)


def _extracted(folder: str) -> Iterator[tuple[object, ...]]:
    return extract_from_dir(
        ROOT / folder,
        method_map=[("**.py", "python"), ("**.html", "jinja2")],
        options_map={"**.html": {"trimmed": "true"}},
        keywords={"_": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None, "N_": None},
    )


def main(arguments: list[str]) -> None:
    """Bring the named language, or all there are, up to date."""
    for language in arguments or sorted(path.name for path in LOCALES.iterdir()):
        write(language)


if __name__ == "__main__":
    main(sys.argv[1:])
