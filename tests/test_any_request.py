"""Whatever is sent to the API is answered as docs/openapi.yaml says, and never with a 500."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.test_any_query import TYPED
from tests.test_openapi import DESCRIPTION, check
from tests.web_fixtures import client

__all__ = ["client"]

_ODD = st.sampled_from(
    ["", "0", "-1", "1e3", "9" * 30, "\u0661", "true", "null", "[]", "\x00", "a\nb", "1,2", "1,x"]
)
_VALUES = st.one_of(_ODD, st.integers(-5, 600).map(str), TYPED, st.text(max_size=20))
_NAMES = st.sampled_from(["q", "url", "more", "less", "from", "limit", "offset", "x"])
_BODIES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["text", "folder", "x"]), inner, max_size=3),
    ),
    max_leaves=6,
)
_READ = [path for path, item in DESCRIPTION["paths"].items() if "get" in item]
_POSTED = [path for path, item in DESCRIPTION["paths"].items() if "post" in item]
# The client of the tests is made once for all that hypothesis sends.
_SENT = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("path", _READ)
@_SENT
@given(number=_VALUES, asked=st.dictionaries(_NAMES, _VALUES, max_size=4))
def test_what_is_asked_is_answered(
    client: FlaskClient, path: str, number: str, asked: dict[str, str]
) -> None:
    asked = {name: value for name, value in asked.items() if name != "url" or "://" not in value}
    answer = client.get(_filled(path, number), query_string=asked)
    assert answer.status_code < 500
    if answer.mimetype == "application/json":  # an address that is another one's: see below
        check(answer, "get", path)


@pytest.mark.parametrize("path", _POSTED)
@_SENT
@given(body=_BODIES, raw=st.one_of(st.none(), st.binary(max_size=60)))
def test_what_is_sent_is_answered(
    client: FlaskClient, path: str, body: Any, raw: bytes | None
) -> None:
    sent = {"json": body} if raw is None else {"data": raw, "content_type": "application/json"}
    answer = client.post(_filled(path, "1"), **sent)
    assert 400 <= answer.status_code < 500 or answer.status_code == 200
    check(answer, "post", path)


def _filled(path: str, number: str) -> str:
    for name in ("image_id", "run_id"):
        path = path.replace(f"{{{name}}}", quote(number, safe=""))
    return path
