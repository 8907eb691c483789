"""What a query can be refused for, under the roof that the site may look into."""

from mlx_clip.errors import InputError

__all__ = ["InputError", "MapError", "QueryError", "SearchError"]


class SearchError(Exception):
    """A query that makes sense and still cannot be answered; the message says why."""


class MapError(SearchError):
    """A map that cannot be made, or cannot answer; the message says why and what to do."""


class QueryError(Exception):
    """A query's text that asks for nothing, with the place in it that is to blame."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        """Offset of the first character of the place."""
        self.end = end
        """Offset behind the last one."""
        self.text = ""
        """The whole text, once `parse` has raised it."""
