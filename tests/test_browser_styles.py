"""A map that is built while somebody looks on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.program import program
from tests.test_browser import browser, opened_page
from tests.web_fixtures import Library

__all__ = ["browser"]

pytestmark = pytest.mark.browser

PATIENCE = 120_000  # ms, on a busy machine


def test_the_page_follows_the_building_of_a_map(
    browser: Browser, shared_library: Library, tmp_path: Path
) -> None:
    """To its end, without being loaded again: here to what is wrong, which takes no UMAP."""
    data = tmp_path / "data"
    shutil.copytree(shared_library.settings.data_dir, data)
    with program("--data", str(data)) as (_, site), opened_page(browser) as page:
        page.goto(f"{site}/styles")
        maps = page.get_by_role("region", name="Maps")
        maps.get_by_text("Build a map").click()
        maps.get_by_label("Name").fill("Samples")
        maps.get_by_label("How many").fill("500")
        maps.get_by_role("button", name="Build").click()
        job = page.get_by_role("region", name="Building")
        expect(job.get_by_role("status")).to_contain_text("“Samples” is being made")
        page.evaluate("window.stayed = true")
        wrong = "“Samples” was not made. 231 pictures cannot lie in 500 clusters: ask for fewer."
        expect(job.get_by_role("alert")).to_have_text(wrong, timeout=PATIENCE)
        assert page.evaluate("window.stayed")
