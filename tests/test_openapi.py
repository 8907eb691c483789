"""docs/openapi.yaml says what the API does: its addresses, and what they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web_fixtures import SAMPLES, client

__all__ = ["client"]

DESCRIPTION: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent.parent / "docs" / "openapi.yaml").read_text(encoding="utf-8")
)
METHODS = ("get", "post", "delete")


def described() -> set[tuple[str, str]]:
    return {
        (method, path)
        for path, item in DESCRIPTION["paths"].items()
        for method in METHODS
        if method in item
    }


def routes(app: Flask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            path = re.sub(r"<(?:[^:<>]*:)?(\w+)>", r"{\1}", rule.rule)
            yield from ((method.lower(), path) for method in rule.methods or ())


def test_every_address_is_described_and_no_other(client: FlaskClient) -> None:
    there = {(method, path) for method, path in routes(client.application) if method in METHODS}
    assert there == described()


def check(answer: TestResponse, method: str, path: str) -> None:
    """Compare an answer with what is said of it."""
    responses = DESCRIPTION["paths"][path][method]["responses"]
    response = resolved(responses.get(str(answer.status_code), responses["default"]))
    assert answer.mimetype == "application/json"
    schema = {
        **response["content"]["application/json"]["schema"],
        "components": DESCRIPTION["components"],
    }
    jsonschema.Draft202012Validator(schema).validate(answer.get_json())


def resolved(item: dict[str, Any]) -> dict[str, Any]:
    found = item
    if "$ref" in item:
        found = DESCRIPTION
        for part in item["$ref"].removeprefix("#/").split("/"):
            found = found[part]
    return found


@pytest.mark.parametrize(
    ("path", "url", "status"),
    [
        ("/api/v1/status", "/api/v1/status", 200),
        ("/api/v1/search", "/api/v1/search?q=dog&limit=3", 200),
        ("/api/v1/search", "/api/v1/search?q=type:jpeg", 200),
        ("/api/v1/search", "/api/v1/search?more=1,2&less=3", 200),
        ("/api/v1/search", "/api/v1/search", 400),
        ("/api/v1/search", "/api/v1/search?q=dog+before:never", 400),
        ("/api/v1/search", "/api/v1/search?q=dog&limit=0", 400),
        ("/api/v1/search", "/api/v1/search?url=http://127.0.0.1/a.jpg", 403),
        ("/api/v1/pictures/{image_id}", "/api/v1/pictures/1", 200),
        ("/api/v1/pictures/{image_id}", "/api/v1/pictures/999999", 404),
        ("/api/v1/pictures/{image_id}/similar", "/api/v1/pictures/1/similar?limit=5", 200),
        ("/api/v1/duplicates", "/api/v1/duplicates", 200),
        ("/api/v1/maps", "/api/v1/maps", 200),
        ("/api/v1/maps/{map_id}", "/api/v1/maps/1", 200),
        ("/api/v1/maps/{map_id}", "/api/v1/maps/999", 404),
        ("/api/v1/maps/{map_id}/points", "/api/v1/maps/999/points", 404),
        ("/api/v1/styles", "/api/v1/styles?q=a+drawing&limit=2", 200),
        ("/api/v1/styles", "/api/v1/styles?q=%234&items=1&map=1", 200),
        ("/api/v1/styles", "/api/v1/styles", 400),
        ("/api/v1/styles", "/api/v1/styles?q=type:jpeg", 400),
        ("/api/v1/styles", "/api/v1/styles?q=dog&limit=0", 400),
        ("/api/v1/styles", "/api/v1/styles?q=dog&map=99", 404),
        ("/api/v1/crawls/{run_id}", "/api/v1/crawls/1", 200),
        ("/api/v1/crawls/{run_id}", "/api/v1/crawls/999", 404),
    ],
)
def test_answers_are_as_described(client: FlaskClient, path: str, url: str, status: int) -> None:
    answer = client.get(url)
    assert answer.status_code == status
    check(answer, "get", path)


def test_what_is_sent_is_answered_as_described(client: FlaskClient) -> None:
    picture = SAMPLES / "animals" / "beagle.png"
    with picture.open("rb") as file:
        check(client.post("/api/v1/search", data={"image": file}), "post", "/api/v1/search")
    with picture.open("rb") as file:
        check(client.post("/api/v1/embed", data={"image": file}), "post", "/api/v1/embed")
    with picture.open("rb") as file:
        check(client.post("/api/v1/styles", data={"image": file}), "post", "/api/v1/styles")
    check(client.post("/api/v1/embed", json={"text": "a dog"}), "post", "/api/v1/embed")
    check(client.post("/api/v1/crawls", json={"folder": "/nowhere"}), "post", "/api/v1/crawls")
    check(client.delete("/api/v1/crawls/999"), "delete", "/api/v1/crawls/{run_id}")
