"""A picture file, opened as models want it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

from mlx_clip.errors import PictureError


def open_picture(path: str | Path) -> Image.Image:
    """The picture in a file: upright RGB, what is transparent on white, the first of many frames.

    Raises PictureError when it cannot be read.
    """
    _register_heif()
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)
        if image.has_transparency_data:
            image = image.convert("RGBA")
            paper = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(paper, image)
        return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        why = getattr(error, "strerror", None) or error
        raise PictureError(f"{path} cannot be used as a picture: {why}") from error


def _register_heif() -> None:
    """HEIC, where pillow-heif is installed; Pillow alone does not read it."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return
    register_heif_opener()
