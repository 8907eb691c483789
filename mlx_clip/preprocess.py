"""From a picture to a model's input. Any change here changes the space: raise PREPROCESSING."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlx_clip.config import ModelConfig, read_json
from mlx_clip.encoder import Pixels
from mlx_clip.errors import ConfigError, UnsupportedModelError

Fit = Literal["pad", "crop", "stretch"]

# A square of the long side would be 1.6 GB for a 20,000 px panorama, and a panorama scaled to the
# model's height a hundred times the crop that is made of it.
_LONGEST = 8

_CLIP_MEAN, _CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_SIGLIP_MEAN = _SIGLIP_STD = (0.5, 0.5, 0.5)
_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture becomes the square of pixels that a model sees."""

    size: int
    fit: Fit
    resample: int
    """A PIL.Image.Resampling."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    """Of RGB, each from 0 to 1. A model sees (pixel / 255 - mean) / std."""
    background: tuple[int, int, int] = (255, 255, 255)
    """What is around a picture that is padded."""

    def __call__(self, image: Image.Image) -> Pixels:
        """An upright RGB picture as uint8 (size, size, 3)."""
        if self.fit == "pad":
            image = self._padded(image)
        elif self.fit == "crop":
            return np.asarray(self._cropped(image))
        return np.asarray(image.resize((self.size, self.size), self.resample))

    def normalise(self, pixels: Pixels) -> NDArray[np.float32]:
        """uint8 (n, size, size, 3) -> float32 (n, 3, size, size)."""
        values = pixels.astype(np.float32) / np.float32(255)
        values = (values - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2))

    def as_json(self) -> dict[str, Any]:
        """For the `image` of a model folder's config.json; `from_json` reads it."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Preprocessing:
        """From the `image` of a model folder's config.json, where the starter model says less."""
        return cls(
            int(raw["size"]),
            raw.get("fit", "pad"),
            int(raw.get("resample", Image.Resampling.BICUBIC)),
            _three(raw["mean"]),
            _three(raw["std"]),
            _colour(raw.get("background", (255, 255, 255))),
        )

    def _padded(self, image: Image.Image) -> Image.Image:
        """Centred on a square."""
        scale = _LONGEST * self.size / max(image.size)
        if scale < 1:
            fitted = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
            image = image.resize(fitted, self.resample)
        side = max(image.size)
        square = Image.new("RGB", (side, side), self.background)
        square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        return square

    def _cropped(self, image: Image.Image) -> Image.Image:
        """The centre of the picture, scaled until its short side fits.

        Pixel for pixel what transformers' CLIPImageProcessor does, for a picture of ordinary shape.
        """
        short, long = sorted(image.size)
        scaled = max(self.size, int(self.size * long / short))
        wide, high = (scaled, self.size) if image.width > image.height else (self.size, scaled)
        left, top = (wide - self.size) // 2, (high - self.size) // 2
        if scaled <= _LONGEST * self.size:
            image = image.resize((wide, high), self.resample)
            return image.crop((left, top, left + self.size, top + self.size))
        across, down = image.width / wide, image.height / high
        box = (left * across, top * down, (left + self.size) * across, (top + self.size) * down)
        return image.resize((self.size, self.size), self.resample, box)


def read_preprocessing(folder: Path, config: ModelConfig) -> Preprocessing:
    """A checkpoint's preprocessing, from whichever file it is in, else its family's own.

    Raises ConfigError when the file makes no sense, UnsupportedModelError when it asks for what is
    not done here.
    """
    for name, read in (
        ("preprocessor_config.json", _transformers),
        ("processor_config.json", _processor),
        ("open_clip_config.json", _open_clip),
    ):
        path = folder / name
        if path.is_file():
            try:
                return read(read_json(path), config)
            except (TypeError, ValueError, KeyError, AttributeError) as error:
                raise ConfigError(f"{path} makes no sense: {error}. Copy it again") from error
            except UnsupportedModelError as error:
                raise UnsupportedModelError(f"{path}: {error}") from None
    return _transformers({}, config)


def _transformers(raw: Mapping[str, Any], config: ModelConfig) -> Preprocessing:
    clip = config.family == "clip"
    crop = raw.get("do_center_crop", clip)
    size, side = raw.get("size"), config.vision.image_size
    if crop and _side(size, side) != side:
        raise UnsupportedModelError(
            f"it scales pictures to {size} and cuts out {side}: only equal sizes are supported"
        )
    if raw.get("do_resize") is False or raw.get("do_normalize") is False:
        raise UnsupportedModelError("pictures that are not scaled or normalised are not supported")
    return Preprocessing(
        side,
        "crop" if crop else "stretch",
        int(raw.get("resample", Image.Resampling.BICUBIC)),
        _three(raw.get("image_mean") or (_CLIP_MEAN if clip else _SIGLIP_MEAN)),
        _three(raw.get("image_std") or (_CLIP_STD if clip else _SIGLIP_STD)),
    )


def _processor(raw: Mapping[str, Any], config: ModelConfig) -> Preprocessing:
    """processor_config.json, which newer checkpoints have instead."""
    return _transformers(raw.get("image_processor") or {}, config)


def _open_clip(raw: Mapping[str, Any], config: ModelConfig) -> Preprocessing:
    said = raw.get("preprocess_cfg") or {}
    mode = said.get("resize_mode", "shortest")
    if mode not in ("shortest", "squash"):
        raise UnsupportedModelError(f"the resize mode {mode!r} is not supported")
    interpolation = said.get("interpolation", "bicubic")
    return Preprocessing(
        config.vision.image_size,
        "crop" if mode == "shortest" else "stretch",
        _FILTERS.get(interpolation, Image.Resampling.BICUBIC),
        _three(said.get("mean") or _CLIP_MEAN),
        _three(said.get("std") or _CLIP_STD),
    )


def _side(size: Any, default: int) -> int:
    """What `size` says: a number, or a dict of one of several kinds."""
    if isinstance(size, Mapping):
        size = size.get("shortest_edge") or size.get("height")
    return default if size is None else int(size)


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = values
    return float(red), float(green), float(blue)


def _colour(values: Any) -> tuple[int, int, int]:
    red, green, blue = values
    return int(red), int(green), int(blue)
