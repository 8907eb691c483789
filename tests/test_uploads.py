"""Uploads that are no pictures: each is refused in a sentence, and none is logged as a mistake."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient

from tests import hostile
from tests.web_fixtures import empty_client

__all__ = ["empty_client"]

CASES = {
    "empty": (b"", "No picture came"),
    "a text": (b"hello", "not a picture in a format"),
    "a megabyte of nothing": (bytes(1_000_000), "not a picture in a format"),
    "a bomb": (hostile.png(60_000, 60_000, pixels=bytes(1_000_000)), "60000 x 60000 pixels"),
    "half a picture": (hostile.png(100, 100, pixels=bytes(99)), "damaged"),
    "a GIF bomb": (hostile.gif(1, 60_000, 60_000), "cannot be used as a picture"),
}


def test_what_is_no_picture_is_refused_in_a_sentence(
    empty_client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    for name, (content, says) in CASES.items():
        for path in ("/api/v1/search", "/search", "/api/v1/embed"):
            answer = empty_client.post(path, data={"image": (io.BytesIO(content), "a.png")})
            assert answer.status_code == 400, name
            assert says in answer.text, name
    assert caplog.records == []
