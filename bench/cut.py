"""What the line between matches and weaker ones keeps, and what it turns away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.captioned import Encoded
from bench.table import table
from mlx_clip import Encoder, Vectors
from search import prompts
from search.relevance import picture_line, words_line
from search.unrelated import TO_CALIBRATE, TO_MEASURE

_FIRST = 10
_DRAWS = 50
_SMALL = (10, 20, 50)

Shares = tuple[float, ...]


@dataclass(frozen=True)
class Asked:
    """The vectors of all that is asked; each (n, dim)."""

    to_calibrate: Vectors
    unrelated: Vectors
    captions: dict[str, Vectors]


def cut_tables(sets: list[Encoded], encoder: Encoder) -> str:
    """The tables, with what they say."""
    both = sets[-1]
    captions = dict(zip(both.queries, prompts.embed_all(encoder, both.queries), strict=True))
    asked = Asked(
        prompts.embed_all(encoder, TO_CALIBRATE), prompts.embed_all(encoder, TO_MEASURE), captions
    )
    rows = [_row(each, [_shares(each, asked)]) for each in sets]
    for count in _SMALL:
        drawn = list(_drawn(both, count))
        rows.append(_row(drawn[0], [_shares(each, asked) for each in drawn]))
    head = ("a library of", "line", "unrelated", "absent", "right", "right, of first 10")
    return (
        f"The line for words. Of {len(TO_MEASURE)} queries that no picture answers, not those the\n"
        "line is found with, how many find nothing close; how many of the captions of absent\n"
        "pictures do; and how many captions have their right picture above the line, of all and\n"
        f"of those that have it among the first {_FIRST}. Small libraries are drawn by lot,\n"
        f"{_DRAWS} times.\n\n"
        f"{table(head, rows)}\n\n"
        "The line for pictures. How many of the pictures of the same folder among a picture's ten\n"
        "nearest are above it, and how many of the 40 nearest above it and below it are of the\n"
        "same folder.\n\n"
        f"{_pictures(sets)}\n"
    )


def _drawn(whole: Encoded, count: int) -> list[Encoded]:
    rng = np.random.default_rng(count)
    every = len(whole.pictures)
    return [whole.taken(rng.choice(every, count, replace=False)) for _ in range(_DRAWS)]


def _shares(library: Encoded, asked: Asked) -> Shares:
    """The line, and of what is asked the shares that the table shows."""
    line = words_line(asked.to_calibrate, library.pictures)
    absent = [asked.captions[text] for text in asked.captions if text not in library.captions]
    scores = np.stack([asked.captions[text] for text in library.queries]) @ library.pictures.T
    right = np.where(library.right, scores, -1).max(1)
    first = (scores > right[:, None]).sum(1) < _FIRST
    return (
        line,
        _nothing(asked.unrelated, library.pictures, line),
        _nothing(np.stack(absent), library.pictures, line) if absent else np.nan,
        float((right >= line).mean()),
        float((right >= line)[first].mean()),
    )


def _nothing(queries: Vectors, pictures: Vectors, line: float) -> float:
    return float(((queries @ pictures.T).max(1) < line).mean())


def _row(library: Encoded, found: list[Shares]) -> list[str]:
    line, unrelated, absent, right, of_first = np.mean(found, axis=0)
    return [
        library.name,
        f"{line:.3f}",
        f"{unrelated * len(TO_MEASURE):.0f} of {len(TO_MEASURE)}",
        "" if np.isnan(absent) else f"{absent:.0%}",
        f"{right:.0%}",
        f"{of_first:.0%}",
    ]


def _pictures(sets: list[Encoded]) -> str:
    rows = []
    for each in sets:
        line = picture_line(each.pictures)
        assert line is not None
        scores = each.pictures @ each.pictures.T
        np.fill_diagonal(scores, -1)
        nearest = np.argsort(-scores, axis=1, kind="stable")[:, :40]
        above = np.take_along_axis(scores, nearest, 1) >= line
        folders = np.array(each.folders)
        same = folders[nearest] == folders[:, None]
        kept = above[:, :_FIRST][same[:, :_FIRST]].mean()
        shares = (kept, same[above].mean(), same[~above].mean())
        rows.append([each.name, f"{line:.3f}", *(f"{share:.0%}" for share in shares)])
    return table(("a library of", "line", "kept", "same above", "same below"), rows)
