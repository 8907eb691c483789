"""The files that a checkpoint's tokenizer lies in, read with errors that name them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from mlx_clip.errors import TokenizerError


@dataclass(frozen=True)
class TokenizerFiles:
    """A checkpoint's folder, seen as a tokenizer. Everything here raises TokenizerError."""

    folder: Path

    def path(self, *alternatives: tuple[str, ...]) -> Path:
        """The first file of the first alternative that is there as a whole."""
        for names in alternatives:
            if all((self.folder / name).is_file() for name in names):
                return self.folder / names[0]
        wanted = ", or ".join(" with ".join(names) for names in alternatives)
        raise TokenizerError(
            f"{self.folder} has no tokenizer: looked for {wanted}. Copy the whole model again"
        )

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What tokenizer_config.json and special_tokens_map.json say, the former first."""
        said: dict[str, Any] = {}
        for name in ("special_tokens_map.json", "tokenizer_config.json"):
            if (self.folder / name).is_file():
                said.update(read_json(self.folder / name))
        return said

    def token(self, role: str, usual: str) -> str:
        """The token that plays a role, such as `pad_token`."""
        said = self.settings.get(role)
        if isinstance(said, dict):
            said = said.get("content")
        return usual if said is None else str(said)


def read_json(path: Path) -> dict[str, Any]:
    """A file that holds a JSON object. Raises TokenizerError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise broken(path, error) from error
    if not isinstance(content, dict):
        raise broken(path, "it holds no JSON object")
    return content


def read_tokenizer(path: Path) -> Tokenizer:
    """A tokenizer.json. Raises TokenizerError."""
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises types of its own making
        raise broken(path, error) from error


def token_id(tokenizer: Tokenizer, token: str, path: Path) -> int:
    """The id of a token that has to be there. Raises TokenizerError."""
    id_: int | None = tokenizer.token_to_id(token)
    if id_ is None:
        raise broken(path, f"it has no token {token!r}")
    return id_


def end_with(tokenizer: Tokenizer, token: str, path: Path) -> None:
    """Have every text end with a token, a shortened one too. Raises TokenizerError."""
    special = [(token, token_id(tokenizer, token, path))]
    tokenizer.post_processor = TemplateProcessing(["$A", token], special_tokens=special)


def broken(path: Path, reason: object) -> TokenizerError:
    """What to raise about a file that is not what it should be."""
    return TokenizerError(f"the tokenizer in {path} does not load: {reason}. Get the file again")
