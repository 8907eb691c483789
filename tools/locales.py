"""`python -m tools.locales [LANGUAGE]`: bring locales/ in step with the texts of the interface.

New texts are added to each language's messages.po untranslated, old ones are taken out, and what is
translated is compiled to messages.mo. A LANGUAGE that is not there yet is begun.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from web.language import LOCALES, SOURCE, languages

ROOT = Path(__file__).parent.parent

_METHODS = [("**.py", "python"), ("**.html", "jinja2")]
# An error in a template is to be seen here, and white space to be as web/language.py has it.
_OPTIONS = {"**.html": {"silent": "false", "trimmed": "true"}}
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
}


def texts() -> Catalog:
    """Every text of the interface that can be translated, and the files that it stands in."""
    catalog = Catalog()
    for folder in ("templates", "web"):
        for name, _, message, comments, context in extract_from_dir(
            ROOT / folder, _METHODS, _OPTIONS, _KEYWORDS, ["Translators:"], strip_comment_tags=True
        ):
            catalog.add(message, None, [(f"{folder}/{name}", 0)], (), comments, context=context)
    return catalog


def translations(language: str) -> Catalog:
    """The translations of a language as they stand; none of one that is only begun."""
    path = folder(language) / "messages.po"
    if not path.exists():
        return Catalog(
            language,
            header_comment="# Kindred’s interface in another language: see README.md.",
            project="Kindred",
            version=" ",
            msgid_bugs_address=" ",
            last_translator=" ",
            language_team=" ",
            charset="utf-8",
            fuzzy=False,
        )
    with path.open("rb") as file:
        return read_po(file, language)


def updated(language: str) -> Catalog:
    """The translations of a language, brought in step with the texts."""
    catalog = translations(language)
    catalog.update(texts(), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    return catalog


def folder(language: str) -> Path:
    """Where a language's translations lie."""
    return LOCALES / language / "LC_MESSAGES"


def write(language: str) -> None:
    """Write a language's messages.po and messages.mo."""
    catalog = updated(language)
    folder(language).mkdir(parents=True, exist_ok=True)
    with (folder(language) / "messages.po").open("wb") as po:
        write_po(po, catalog, width=100, include_lineno=False, sort_output=True)
    with (folder(language) / "messages.mo").open("wb") as mo:
        write_mo(mo, catalog)


def main(arguments: list[str]) -> None:
    """Bring the named languages, or all there are, up to date."""
    for language in arguments or languages():
        if language != SOURCE:
            write(language)


if __name__ == "__main__":
    main(sys.argv[1:])
