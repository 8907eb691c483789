"""`python -m tools.starter.evaluate`: the starter model before and after. `make starter-eval`.

Runs in the ordinary environment, without PyTorch. One caption moves a figure by some thousandths,
so each line also says how many questions are answered worse and better. Exits with 1 when a figure
has fallen by more than chance explains.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlx_clip import Encoder, Pixels, Vectors, load_encoder
from tools.starter import corpora, debian
from tools.starter.corpora import Captioned
from tools.starter.debian import PackageError, unpacked
from tools.starter.pictures import batches
from tools.starter.recall import (
    NEIGHBOURS,
    Scores,
    chance,
    found,
    probability_of_fewer,
    same_folder,
)

PROJECT = Path(__file__).resolve().parent.parent.parent
ARTEFACTS = PROJECT / "artefacts" / "starter"
MODEL = PROJECT / "models" / "starter"

FIRST_BUILD = "12f2d5c4422702af258da1df2b653b259d5ec30b"
"""The last commit with the model as it was first built, from text weights without a licence."""

_FILES = ("image.onnx", "text.onnx", "tokenizer.json", "config.json")
_FIRST = (1, 5, 10, 50)
_ROUNDS = 15
_UNLIKELY = 0.05
_HEADING = f"  {'':<24}{'chance':>8}{'before':>9}{'after':>9}{'worse':>8}{'better':>8}"


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Args:
        name: What is measured.
        by_chance: What a search that draws by lot would reach, where that is known.
        before: The first model's score for each question.
        after: The second one's, in the same order.
    """

    name: str
    by_chance: float | None
    before: Scores
    after: Scores

    @property
    def worse(self) -> int:
        """How many questions the second model answers worse."""
        return int((self.after < self.before).sum())

    @property
    def better(self) -> int:
        """How many it answers better."""
        return int((self.after > self.before).sum())

    @property
    def has_fallen(self) -> bool:
        """Whether it is worse, and more so than chance explains."""
        return probability_of_fewer(self.worse, self.better) < _UNLIKELY

    def __str__(self) -> str:
        by_chance = "" if self.by_chance is None else f"{self.by_chance:.3f}"
        means = f"{self.before.mean():>9.3f}{self.after.mean():>9.3f}"
        fallen = "  fallen" if self.has_fallen else ""
        return f"  {self.name:<24}{by_chance:>8}{means}{self.worse:>8}{self.better:>8}{fallen}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.starter.evaluate", description=__doc__)
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="instead of the first build")
    parser.add_argument("--after", type=Path, metavar="FOLDER", default=MODEL)
    parser.add_argument("--debian", type=Path, metavar="FOLDER", default=ARTEFACTS / "debian")
    options = parser.parse_args()
    try:
        gcompris = corpora.gcompris(unpacked(debian.GCOMPRIS, options.debian))
        tuxpaint = corpora.tuxpaint(unpacked(debian.TUXPAINT, options.debian))
        before = options.before or first_build(ARTEFACTS / "first-build")
    except (PackageError, LookupError, OSError) as error:
        parser.exit(1, f"{error}\n")
    models = load_encoder(str(before)), load_encoder(str(options.after))
    figures = measure_gcompris(gcompris, models) + measure_tuxpaint(tuxpaint, models)
    print_costs(before, options.after, models, gcompris)
    fallen = sum(figure.has_fallen for figure in figures)
    print(f"{fallen} of {len(figures)} figures fell beyond chance (sign test, {_UNLIKELY:.0%}).")
    parser.exit(bool(fallen))


def first_build(folder: Path) -> Path:
    """The model of FIRST_BUILD, taken from the repository's history.

    Raises:
        LookupError: the history is not here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shown = subprocess.run(
            ["git", "show", f"{FIRST_BUILD}:models/starter/{name}"],
            cwd=PROJECT, capture_output=True, check=False,
        )  # fmt: skip
        if shown.returncode:
            raise LookupError(
                f"git has no {name} of commit {FIRST_BUILD[:7]}: this needs a clone with its "
                "history (`git fetch --unshallow`), or a model's folder after --before"
            )
        (folder / name).write_bytes(shown.stdout)
    return folder


Models = tuple[Encoder, Encoder]
Both = tuple[Vectors, Vectors]


def measure_gcompris(pictures: Sequence[Captioned], models: Models) -> list[Figure]:
    """Recall over GCompris: of all captions, and of those of its photographs alone."""
    vectors = encode_pictures(pictures, models)
    photographs = [item for item in pictures if item.folder == corpora.PHOTOGRAPHS]
    return [
        *_recalls("gcompris-qt-data", pictures, pictures, vectors, models),
        *_recalls("its photographs of animals", photographs, pictures, vectors, models),
    ]


def measure_tuxpaint(pictures: Sequence[Captioned], models: Models) -> list[Figure]:
    """Recall over Tux Paint's stamps, and how far a picture's neighbours are of its folder."""
    before, after = vectors = encode_pictures(pictures, models)
    folders = [item.folder for item in pictures]
    figures = _recalls("tuxpaint-stamps-default", pictures, pictures, vectors, models)
    scores = same_folder(folders, before), same_folder(folders, after)
    figures.append(Figure(f"same folder P@{NEIGHBOURS}", None, *scores))
    print(figures[-1], flush=True)
    return figures


def encode_pictures(pictures: Sequence[Captioned], models: Models) -> Both:
    """The pictures' vectors by both models; each picture is decoded once."""
    rows: list[Both] = [
        (models[0].encode_images(pixels), models[1].encode_images(pixels))
        for pixels in batches(pictures, models[1].image_size)
    ]
    before, after = zip(*rows, strict=True)
    return np.concatenate(before), np.concatenate(after)


def _recalls(
    title: str,
    asked: Sequence[Captioned],
    pictures: Sequence[Captioned],
    vectors: Both,
    models: Models,
) -> list[Figure]:
    queries = sorted({item.caption for item in asked})
    captions = [item.caption for item in pictures]
    texts = [model.encode_texts(queries) for model in models]
    print(f"{title}: {len(queries)} captions, {len(pictures)} pictures")
    print(_HEADING)
    figures = []
    for first in _FIRST:
        before, after = (
            found(queries, words, captions, seen, first)
            for words, seen in zip(texts, vectors, strict=True)
        )
        name = f"text to picture R@{first}"
        figures.append(Figure(name, chance(queries, captions, first), before, after))
        print(figures[-1], flush=True)
    return figures


def print_costs(before: Path, after: Path, models: Models, pictures: Sequence[Captioned]) -> None:
    """What the files weigh, and the best of some rounds of speed: compare within one run only."""
    pixels = next(batches(pictures, models[1].image_size))
    texts = [item.caption for item in pictures[:32]]
    seconds = [[_seconds(model, pixels, texts) for model in models] for _ in range(_ROUNDS)]
    best = np.min(seconds, axis=0)
    print(f"Costs\n  {'':<24}{'':>8}{'before':>9}{'after':>9}")
    for name in ("image.onnx", "text.onnx"):
        sizes = [(folder / name).stat().st_size / 1e6 for folder in (before, after)]
        print(f"  {name + ', MB':<24}{'':>8}{sizes[0]:>9.2f}{sizes[1]:>9.2f}")
    for column, (name, count) in enumerate([("pictures", len(pixels)), ("texts", len(texts))]):
        speeds = count / best[:, column]
        print(f"  {name + ' a second':<24}{'':>8}{speeds[0]:>9.0f}{speeds[1]:>9.0f}")


def _seconds(model: Encoder, pixels: Pixels, texts: Sequence[str]) -> tuple[float, float]:
    start = time.perf_counter()
    model.encode_images(pixels)
    between = time.perf_counter()
    model.encode_texts(texts)
    return between - start, time.perf_counter() - between


if __name__ == "__main__":
    main()
