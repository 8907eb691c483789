"""Which requests are answered, and what browsers are told."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient

from tests.web_fixtures import SAMPLES, client
from web.guard import is_allowed_host

__all__ = ["client"]


@pytest.mark.parametrize(
    ("host", "configured", "allowed"),
    [
        ("localhost:5000", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("[::1]:5000", "127.0.0.1", True),
        ("LOCALHOST:80", "127.0.0.1", True),
        ("evil.example", "127.0.0.1", False),
        ("127.0.0.1.evil.example", "127.0.0.1", False),
        ("localhost.evil.example:5000", "127.0.0.1", False),
        ("192.168.1.7:5000", "127.0.0.1", False),
        ("nas.local:5000", "nas.local", True),
        ("192.168.1.7:5000", "0.0.0.0", True),
        ("[fe80::1]:5000", "::", True),
        ("evil.example:5000", "0.0.0.0", False),
        ("0.0.0.0:5000", "0.0.0.0", False),
        ("[half", "127.0.0.1", False),
        ("", "127.0.0.1", False),
    ],
)
def test_hosts(host: str, configured: str, allowed: bool) -> None:
    assert is_allowed_host(host, configured) is allowed


def test_a_foreign_host_gets_nothing(client: FlaskClient) -> None:
    answer = client.get("/pictures/1/thumb", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert b"localhost" in answer.data
    assert answer.mimetype == "text/html"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:8000"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
@pytest.mark.parametrize("url", ["/search", "/api/v1/search"])
def test_posts_come_from_our_own_pages(
    client: FlaskClient, headers: dict[str, str], status: int, url: str
) -> None:
    picture = (SAMPLES / "animals" / "beagle.png").read_bytes()
    answer = client.post(url, data={"image": (io.BytesIO(picture), "a.png")}, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/search?q=dog",
        "/pictures/1",
        "/pictures/1/thumb",
        "/pictures/1/file",
        "/static/app.css",
        "/api/v1/status",
        "/nowhere",
    ],
)
def test_every_answer_is_fenced_in(client: FlaskClient, url: str) -> None:
    with client.get(url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
