"""The formats that are read, by extension, and the packages that some of them need."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

PICTURES = frozenset(
    b".jpg .jpeg .jpe .jfif .mpo .png .apng .gif .webp .bmp .dib .tif .tiff"
    b" .avif .avifs .heic .heics .heif .heifs .hif".split()
)
"""What is read everywhere. Extensions are in lower case, with their dot."""


@dataclass(frozen=True, slots=True)
class Extra:
    """Formats that are read where a package is installed."""

    kind: str
    """What its files are called when there are several."""
    module: str
    package: str
    extensions: frozenset[bytes]

    @property
    def installed(self) -> bool:
        """Whether the package is there; it is not imported."""
        return importlib.util.find_spec(self.module) is not None

    @property
    def needed(self) -> str:
        """What to do to have them read."""
        return (
            f"{self.kind} are read where {self.package} is installed: "
            f"python -m pip install {self.package}"
        )


RAW = Extra(
    "RAW photos",
    "rawpy",
    "rawpy",
    frozenset(b".cr2 .cr3 .nef .arw .dng .orf .raf .rw2".split()),
)
JPEG_XL = Extra("JPEG XL pictures", "pillow_jxl", "pillow-jxl-plugin", frozenset((b".jxl",)))
VIDEO = Extra("videos", "av", "av", frozenset(b".mp4 .m4v .mov .webm".split()))
EXTRAS = (RAW, JPEG_XL, VIDEO)


def readable() -> frozenset[bytes]:
    """The extensions of what can be read here, with the packages that are installed."""
    return PICTURES.union(*(extra.extensions for extra in EXTRAS if extra.installed))
