"""Whatever is typed is a query or a QueryError, and what a query says is that query again."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from library.filters import Trait
from search.completion import typed_at
from search.errors import QueryError
from search.filter_text import FILTERS
from search.parser import parse

_PIECES = st.sampled_from(
    [
        *(f"{name}:" for name in FILTERS),
        *"+-\"'#:., ",
        "2:",
        "-0.5:",
        "1e3:",
        "#41",
        "picture:",
        "dog",
        "2019-06-30",
        ">2mp",
        "48.1,11.5,5km",
        "jpeg",
        '""',
        "\u201e",
        "\ufe0f",
        "\u00b2",
        "\u0661",
    ]
)
TYPED = st.lists(st.one_of(_PIECES, st.text(max_size=8)), max_size=12).map("".join)


@settings(max_examples=300, deadline=None)
@given(TYPED)
def test_a_text_is_a_query_or_an_error_in_its_place(text: str) -> None:
    try:
        query = parse(text)
    except QueryError as error:
        assert 0 <= error.start <= error.end <= len(text)
        assert error.message
    else:
        assert parse(str(query)) == query


@settings(max_examples=100, deadline=None)
@given(TYPED, st.integers(-3, 60))
def test_a_completed_text_is_a_query_or_an_error(text: str, at: int) -> None:
    typed = typed_at(text, at)
    if typed is not None:
        whole, place = typed.completed(Trait("folder", typed.value or "a"))
        assert 0 <= place <= len(whole)
        try:
            parse(whole)
        except QueryError as error:
            assert 0 <= error.start <= error.end <= len(whole)
