"""How good the answers are, with the starter model: what is found, and what is turned away."""

from __future__ import annotations

import numpy as np

from bench.captioned import Encoded, encoded
from bench.cut import cut_tables
from bench.table import table
from mlx_clip import Encoder, Vectors, load_encoder
from mlx_clip.templates import TEMPLATES, averaged
from tools.starter.debian import PackageError
from tools.starter.recall import NEIGHBOURS, chance, found, probability_of_fewer, same_folder

_FIRST = (1, 5, 10)
_TITLE = "## Retrieval\n\n"


def retrieval_section() -> str:
    """Search the captioned sets; says which package is missing where one is."""
    encoder = load_encoder("starter")
    try:
        sets = encoded(encoder)
    except PackageError as error:
        where = "The benchmark looks for that folder where it is said to be absent."
        return f"{_TITLE}Not measured, since a Debian package is missing: {error} {where}\n"
    return (
        f"{_TITLE}The starter model on the captioned pictures of two Debian packages that it was\n"
        "not made of. It says nothing about CLIP models.\n\n"
        f"{_found(sets, encoder)}\n{_templates(sets, encoder)}\n{cut_tables(sets, encoder)}"
    )


def _found(sets: list[Encoded], encoder: Encoder) -> str:
    rows = []
    for each in sets:
        texts = encoder.encode_texts(each.queries)
        recalls = [found(each.queries, texts, each.captions, each.pictures, n) for n in _FIRST]
        by_chance = chance(each.queries, each.captions, _FIRST[-1])
        rows.append(
            [
                each.name,
                str(len(each.pictures)),
                str(len(each.queries)),
                *(f"{recall.mean():.3f}" for recall in recalls),
                f"{by_chance:.3f}",
                f"{same_folder(each.folders, each.pictures).mean():.3f}",
            ]
        )
    head = ("set", "pictures", "captions", *(f"R@{n}" for n in _FIRST), "R@10 by lot")
    return (
        "A caption is answered if a picture of that very caption is among the first 1, 5 or 10.\n"
        f"Last, picture to picture: how many of the {NEIGHBOURS} nearest lie in the same folder.\n"
        "\n"
        f"{table((*head, f'folder P@{NEIGHBOURS}'), rows)}\n"
    )


def _templates(sets: list[Encoded], encoder: Encoder) -> str:
    rows = []
    for each in sets:
        plain = encoder.encode_texts(each.queries)
        mixed = np.stack([averaged(encoder, name) for name in each.queries])
        before, after = _ranks(each, plain), _ranks(each, mixed)
        better, worse = int((after < before).sum()), int((after > before).sum())
        rows.append(
            [
                each.name,
                *(f"{(ranks < 10).mean():.3f}" for ranks in (before, after)),
                *(f"{(1 / (1 + ranks)).mean():.3f}" for ranks in (before, after)),
                str(better),
                str(worse),
                f"{probability_of_fewer(better, worse):.2f}",
            ]
        )
    head = ("set", "R@10", "templates", "MRR", "templates", "better", "worse", "by chance")
    return (
        f"Prompt templates: words as they are, beside the mean of {len(TEMPLATES)} sentences with\n"
        "them. Better and worse count the captions whose picture comes earlier and later; the\n"
        "last column is the sign test's: how likely so many are better, or more, if templates\n"
        "make no difference. This model is asked without them. CLIP is asked with them: their\n"
        "effect on CLIP was published, and is not measured here.\n\n"
        f"{table(head, rows)}\n"
    )


def _ranks(library: Encoded, texts: Vectors) -> Vectors:
    """How many pictures come before the right one, for each query."""
    scores = texts @ library.pictures.T
    right = np.where(library.right, scores, -1).max(1)
    ranks: Vectors = (scores > right[:, None]).sum(1).astype(np.float32)
    return ranks
