"""A document of sections that a command measures: named ones are made anew, the others are kept."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Sections = Mapping[str, Callable[[], str]]


def measure(document: Path, head: str, sections: Sections, names: Sequence[str]) -> None:
    """Print the named sections, or all, and write each into the document as soon as it is there.

    A section is a text that begins with `## Its title` and ends with a line end; the document is
    `head` and the sections by their titles. Raises SystemExit for a name that there is not.
    """
    if unknown := set(names) - set(sections):
        raise SystemExit(f"no section {', '.join(sorted(unknown))}: {', '.join(sections)}")
    for name in names or sections:
        section = sections[name]()
        print(section, flush=True)
        written = {**_written(document), _title(section): section}
        document.write_text("\n".join([head, *written.values()]), encoding="utf-8")


def machine() -> str:
    """What the figures were measured on, for the document's head."""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
        f"Python {platform.python_version()}"
    )


def _written(document: Path) -> dict[str, str]:
    """The sections of the document as it is, by their titles."""
    if not document.is_file():
        return {}
    sections = document.read_text(encoding="utf-8").split("\n## ")[1:]
    return {_title(f"## {text}"): f"## {text.rstrip()}\n" for text in sections}


def _title(section: str) -> str:
    return section.splitlines()[0]
