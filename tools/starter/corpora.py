"""The three sets of captioned pictures: one to fit on, two to measure with."""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.qt_resources import read_resource, resource_names

_MOST_PIXELS = 12_000_000

_TOO_ABSTRACT = (
    "buttons", "clocks", "computer/icons", "decorations", "duplicates", "flags", "flowchart",
    "games/cards", "jigsaw", "led", "logos", "map_symbols", "shapes", "special", "unsorted",
)  # fmt: skip
"""Folders of openclipart whose drawings show nothing that their title would say."""

_TUXPAINT_TO_READ = ("alphabets", "math", "money", "music", "shapes")
"""Stamps that are letters, numbers, coins: captions of these are read, not recognised."""

_GCOMPRIS_FOLDERS = (
    ("categorization.rcc", "categorization/resource/images/fishes"),
    ("categorization.rcc", "categorization/resource/images/monuments"),
    ("categorization.rcc", "categorization/resource/images/others"),
    ("categorization.rcc", "categorization/resource/images/renewable"),
    ("categorization.rcc", "categorization/resource/images/tools"),
    ("erase.rcc", "erase/resource"),
    ("explore_farm_animals.rcc", "explore_farm_animals/resource/animals"),
    ("explore_monuments.rcc", "explore_monuments/resource"),
    ("explore_world_animals.rcc", "explore_world_animals/resource/animals"),
    ("lang.rcc", "lang/resource/words_sample"),
)
"""The folders of GCompris whose files are named for what they show."""

PHOTOGRAPHS = "erase/resource"
"""The one of them that holds photographs of animals."""


@dataclass(frozen=True)
class Captioned:
    """A picture with what it is called.

    Args:
        path: The picture, or the Qt resource file that holds it.
        caption: What it shows, in words.
        folder: The folder it lies in, below the root of its set.
        resource: Its name within the resource file, or nothing.
    """

    path: Path
    caption: str
    folder: str
    resource: str = ""

    def read(self) -> bytes:
        """The file's bytes."""
        return read_resource(self.path, self.resource) if self.resource else self.path.read_bytes()


def openclipart(package: Path) -> list[Captioned]:
    """About 2,400 drawings with their titles: what the model is fitted on."""
    root = package / "usr/share/openclipart/png"
    paths = [
        path
        for path in sorted(root.rglob("*.png"))
        if not path.is_symlink() and not _is_below(path.relative_to(root), _TOO_ABSTRACT)
    ]
    titles = clean_titles(path.stem for path in paths)
    return [
        Captioned(path, title, path.parent.relative_to(root).as_posix())
        for path, title in zip(paths, titles, strict=True)
        if len(title) > 2 and _pixels(path) < _MOST_PIXELS
    ]


def tuxpaint(package: Path) -> list[Captioned]:
    """545 stamps with the English caption that stands in the text file beside each."""
    root = package / "usr/share/tuxpaint/stamps"
    found = []
    for path in sorted(root.rglob("*.png")):
        folder, text = path.parent.relative_to(root), path.with_suffix(".txt")
        if path.stem.endswith(("_mirror", "_flip")) or not text.exists():
            continue
        caption = text.read_text(encoding="utf-8", errors="ignore").partition("\n")[0].strip()
        if caption and not any(word in f"{folder}/{path.name}" for word in _TUXPAINT_TO_READ):
            found.append(Captioned(path, caption, folder.as_posix()))
    return found


def gcompris(package: Path) -> list[Captioned]:
    """Drawings and photographs whose file names are their captions."""
    found = []
    for archive, folder in _GCOMPRIS_FOLDERS:
        path = package / "usr/share/gcompris-qt/rcc" / archive
        for name in sorted(resource_names(path)):
            if f"/{folder}/" in name and name.endswith((".webp", ".png")):
                caption = caption_of(name.rpartition("/")[2].partition(".")[0])
                found.append(Captioned(path, caption, folder, name))
    return found


def caption_of(stem: str) -> str:
    """`tajMahal` -> `taj mahal`, `polar_bear` -> `polar bear`, `hammer3` -> `hammer`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem.rstrip("0123456789"))
    return re.sub(r"[^a-z]+", " ", words.lower()).strip()


def clean_titles(stems: Iterable[str]) -> list[str]:
    """The titles in the file names of openclipart: `title_author_number`, words joined by `_`.

    Where the title ends and the author begins is not written. An author has several drawings, so
    the longest run of up to four words before the number that follows three different titles is
    taken for an author and cut off.
    """
    split = [re.sub(r"[^a-z0-9]+", " ", stem.lower()).split() for stem in stems]
    titles_before: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for words in filter(_is_numbered, split):
        for count in range(1, 5):
            if len(words) - 1 > count:
                title, author = words[: -1 - count], words[-1 - count : -1]
                titles_before[tuple(author)].add(" ".join(title))
    authors = {author for author, titles in titles_before.items() if len(titles) >= 3}
    return [_title(words, authors) for words in split]


def _title(words: list[str], authors: set[tuple[str, ...]]) -> str:
    if _is_numbered(words):
        words = words[:-1]
        for count in (4, 3, 2):  # one word alone is as often the end of a title
            if len(words) > count and tuple(words[-count:]) in authors:
                words = words[:-count]
                break
    title = " ".join(word for word in words if not word.isdigit())
    return re.sub(r"([a-z])\d+\b", r"\1", title)


def _is_numbered(words: list[str]) -> bool:
    return bool(words) and re.fullmatch(r"\d+[a-z]?", words[-1]) is not None


def _is_below(path: Path, folders: Iterable[str]) -> bool:
    return any(f"/{folder}/" in f"/{path.as_posix()}" for folder in folders)


def _pixels(path: Path) -> int:
    # From the PNG header, as Pillow refuses to open the largest.
    with path.open("rb") as file:
        width, height = struct.unpack(">16x2I", file.read(24))
    return int(width * height)
