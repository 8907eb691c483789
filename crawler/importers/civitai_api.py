"""CivitAI's public REST API: models of type LORA, and the pictures that were made with them.

https://developer.civitai.com: GET /api/v1/models and /api/v1/images. Lists go on by an opaque
cursor until there is none; pages by number end at a thousand rows and are never asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crawler.importers.polite import PoliteClient, UnreachableError
from library.collections import About

SITE = "https://civitai.com"
SORTS = ("Highest Rated", "Most Downloaded", "Newest")
_MODELS, _PICTURES = 100, 100
_SAFE_LEVELS = (None, "None", 1)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which models are wanted."""

    base_model: str | None = None
    tag: str | None = None
    query: str | None = None
    sort: str = SORTS[0]
    unsafe: bool = False
    """Whether pictures that are not safe for work are wanted, too."""


@dataclass(frozen=True, slots=True)
class Lora:
    """A version of a model: its number, the model's, and what is said of both."""

    model_id: int
    version_id: int
    about: About


@dataclass(frozen=True, slots=True)
class RemotePicture:
    """A picture that was made with a LoRA."""

    id: int
    url: str
    page_url: str
    prompt: str | None


class CivitaiApi:
    """Asks the API.

    Raises UnreachableError where it does not answer as it should, RefusedError and StoppedError.
    """

    def __init__(self, client: PoliteClient) -> None:
        self._client = client
        self._site = client.site

    def loras(self, asked: Asked) -> Iterator[Lora]:
        """The newest version of each model that is asked for, in the site's order."""
        wanted: dict[str, str | int] = {
            "types": "LORA",
            "limit": _MODELS,
            "sort": asked.sort,
            "nsfw": "true" if asked.unsafe else "false",
        }
        for name, value in (
            ("baseModels", asked.base_model),
            ("tag", asked.tag),
            ("query", asked.query),
        ):
            if value:
                wanted[name] = value
        for model in self._list("/api/v1/models", wanted):
            if asked.unsafe or not model.get("nsfw"):
                lora = _lora(model, asked.base_model, self._site)
                if lora is not None:
                    yield lora

    def pictures(self, version_id: int, asked: Asked) -> Iterator[RemotePicture]:
        """The pictures of a version, in the site's order; videos are left out."""
        wanted: dict[str, str | int] = {"modelVersionId": version_id, "limit": _PICTURES}
        wanted["nsfw"] = "true" if asked.unsafe else "false"
        for picture in self._list("/api/v1/images", wanted):
            safe = not picture.get("nsfw") and picture.get("nsfwLevel") in _SAFE_LEVELS
            if (safe or asked.unsafe) and picture.get("type", "image") == "image":
                found = _picture(picture, self._site)
                if found is not None:
                    yield found

    def _list(self, path: str, wanted: Mapping[str, str | int]) -> Iterator[Json]:
        """A list, page after page."""
        cursor: str | None = None
        seen: set[str] = set()
        while True:
            page = self._page(path, {**wanted, **({"cursor": cursor} if cursor else {})})
            items = page.get("items")
            yield from (item for item in items or () if isinstance(item, dict))
            cursor = _next_cursor(page.get("metadata"))
            if cursor is None or cursor in seen:  # a site that goes in a circle
                return
            seen.add(cursor)

    def _page(self, path: str, wanted: Mapping[str, str | int]) -> Json:
        """A page; asked for once more where what came is no JSON, as of a proxy that gave up."""
        for _ in range(2):
            try:
                page = json.loads(self._client.get(f"{self._site}{path}", wanted))
            except ValueError:
                continue
            if isinstance(page, dict):
                return page
        raise UnreachableError(f"{urlsplit(self._site).hostname} does not answer in JSON")


def _next_cursor(metadata: object) -> str | None:
    """By `nextCursor`, else by the cursor in the address `nextPage`."""
    if not isinstance(metadata, dict):
        return None
    cursor = metadata.get("nextCursor")
    if cursor is None and isinstance(page := metadata.get("nextPage"), str):
        cursor = next(iter(parse_qs(urlsplit(page).query).get("cursor", ())), None)
    return None if cursor in (None, "") else str(cursor)


def _lora(model: Json, base_model: str | None, site: str) -> Lora | None:
    """A model's first version of the base model; None where what came makes no sense."""
    versions = [one for one in model.get("modelVersions") or () if isinstance(one, dict)]
    fitting = [one for one in versions if base_model in (None, one.get("baseModel"))]
    if not fitting or not isinstance(model.get("id"), int):
        return None
    version = fitting[0]
    if not isinstance(version.get("id"), int):
        return None
    creator = model.get("creator")
    stats = model.get("stats")
    about = About(
        name=_text(model.get("name")) or f"model {model['id']}",
        version=_text(version.get("name")),
        creator=_text(creator.get("username")) if isinstance(creator, dict) else None,
        base_model=_text(version.get("baseModel")),
        page_url=f"{site}/models/{model['id']}?modelVersionId={version['id']}",
        tags=_texts(model.get("tags")),
        words=_texts(version.get("trainedWords")),
        statistics=_numbers(stats) if isinstance(stats, dict) else {},
    )
    return Lora(model["id"], version["id"], about)


def _picture(picture: Json, site: str) -> RemotePicture | None:
    number, url, meta = picture.get("id"), picture.get("url"), picture.get("meta")
    if not isinstance(number, int) or not isinstance(url, str):
        return None
    if urlsplit(url).scheme not in ("http", "https"):
        return None
    prompt = meta.get("prompt") if isinstance(meta, dict) else None
    return RemotePicture(number, url, f"{site}/images/{number}", _text(prompt))


def _text(value: object) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _texts(values: object) -> tuple[str, ...]:
    """Texts of a list; the API has tags as texts or as objects with a name."""
    found = (
        _text(value.get("name") if isinstance(value, dict) else value)
        for value in (values if isinstance(values, list) else ())
    )
    return tuple(text for text in found if text)


def _numbers(values: Json) -> dict[str, float]:
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
