"""Pictures whose class is known, loaded through mlx-data.

mlx-data's threads load the bytes of files ahead, and no more than that: a Python function that
raises in one of them ends the interpreter, and mlx-data's own decoder leaves pictures as the camera
was held. Decoding is done by open_picture, so that a model sees what it sees everywhere else.
"""

from __future__ import annotations

import io
import os
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from PIL import Image

from mlx_clip.errors import EncoderError, InputError, PictureError
from mlx_clip.picture import open_picture

CIFAR10 = "cifar10"

Picture: TypeAlias = Image.Image | PictureError
"""A picture, or why there is none."""

_AHEAD, _THREADS = 32, 2


class Dataset(Protocol):
    """Labelled pictures, in an order that is always the same."""

    @property
    def classes(self) -> Sequence[str]:
        """The classes, as one would say them."""

    def __len__(self) -> int:
        """How many pictures there are, broken ones among them."""

    def __iter__(self) -> Iterator[tuple[Picture, int]]:
        """The pictures, each with the number of its class."""


def open_dataset(
    name: str, names: Mapping[str, str] | None = None, limit: int | None = None
) -> Dataset:
    """`cifar10`, or a folder of class folders; of its pictures `limit`, always the same ones.

    `names` says what the folders' classes are called, where the folders are not named for them.
    Raises InputError when it is neither, EncoderError without mlx-data or an answer to a download.
    """
    try:
        from mlx import data
    except ImportError as error:
        raise EncoderError(
            f"pictures are loaded through mlx-data, which does not load here ({error}): "
            "pip install mlx-data, which there is for macOS on Apple Silicon and Linux on x86-64, "
            "with Python up to 3.13"
        ) from error
    if name == CIFAR10:
        return _Cifar10(limit)
    return _Folder(data, Path(name).expanduser(), names, limit)


def read_names(path: Path) -> dict[str, str]:
    """What classes are called, by the names of their folders: a line `n01440764 tench` for each.

    Raises InputError.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a text file of classes: {error}") from error
    pairs = [line.split(maxsplit=1) for line in lines if line.strip()]
    if wrong := [pair for pair in pairs if len(pair) != 2]:
        raise InputError(f"{path}: {wrong[0][0]!r} has no name behind it")
    return {folder: name.strip() for folder, name in pairs}


class _Folder:
    """A folder of class folders, such as `dog/1.jpg` and `polar_bear/at night/2.png`."""

    def __init__(
        self, data: Any, folder: Path, names: Mapping[str, str] | None, limit: int | None
    ) -> None:
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder}: name one, or {CIFAR10}")
        classes = [path for path in _shown(folder) if path.is_dir()]
        files = [(path, label) for label, place in enumerate(classes) for path in _files(place)]
        if len(classes) < 2 or not files:
            raise InputError(
                f"{folder} is no folder of class folders: every class needs a folder of its "
                "pictures, named as one would say it"
            )
        self.classes = [_class_of(path, names) for path in classes]
        self._files = [files[number] for number in _some(len(files), limit)]
        samples = [{"file": os.fsencode(path.absolute())} for path, _ in self._files]
        self._buffer = data.buffer_from_vector(samples).load_file("file", output_key="content")

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[tuple[Picture, int]]:
        loaded = iter(self._buffer.ordered_prefetch(_AHEAD, _THREADS))
        for path, label in self._files:
            yield _next_picture(loaded, path), label


def _class_of(folder: Path, names: Mapping[str, str] | None) -> str:
    if names is None:
        return folder.name.replace("_", " ")
    if folder.name not in names:
        raise InputError(f"{folder} is a class that --names does not name")
    return names[folder.name]


def _next_picture(loaded: Iterator[Any], path: Path) -> Picture:
    try:
        content = next(loaded)["content"].tobytes()
    except (ValueError, RuntimeError):  # what mlx-data raises for a file that it cannot read
        return PictureError(f"{path} cannot be used as a picture: it cannot be read")
    try:
        return open_picture(io.BytesIO(content), path)
    except PictureError as error:
        return error


class _Cifar10:
    """CIFAR-10's 10,000 test pictures (Krizhevsky, 2009), 32 pixels wide."""

    classes = (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    )

    def __init__(self, limit: int | None) -> None:
        from mlx.data.datasets import load_cifar10

        print("Loading CIFAR-10 (a download of 170 MB the first time).", file=sys.stderr)
        try:
            # Its progress bar goes to standard output.
            buffer = load_cifar10(train=False, quiet=True)
        except (OSError, RuntimeError) as error:
            raise EncoderError(f"CIFAR-10 cannot be had: {error}. Name a folder instead") from error
        self._buffer = buffer.perm(_some(buffer.size(), limit))

    def __len__(self) -> int:
        return int(self._buffer.size())

    def __iter__(self) -> Iterator[tuple[Picture, int]]:
        for sample in self._buffer:
            yield Image.fromarray(sample["image"]), int(sample["label"])


def _some(count: int, limit: int | None) -> list[int]:
    """Which pictures of `count`: `limit` of them, drawn from all over, always the same."""
    if limit is None or limit >= count:
        return list(range(count))
    return sorted(random.Random(0).sample(range(count), limit))


def _files(folder: Path) -> list[Path]:
    return [path for path in _shown(folder, "**/*") if path.is_file()]


def _shown(folder: Path, pattern: str = "*") -> list[Path]:
    """What is in a folder, in order, without .DS_Store and the like."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))
