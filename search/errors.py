"""What a query can be refused for, under the roof that the site may look into."""

from mlx_clip.errors import InputError

__all__ = ["InputError"]
