"""What stands around the pictures: the theme, suggestions, and the page without a server."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.program import program
from tests.test_browser import WIDE, address, browser, opened_page
from tests.web_fixtures import Library

__all__ = ["address", "browser"]

pytestmark = pytest.mark.browser

PAPER, DARKROOM = "rgb(250, 248, 245)", "rgb(20, 18, 16)"


def ground(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_the_theme_is_switched_and_stays(browser: Browser, address: str) -> None:
    with opened_page(browser, WIDE, "dark") as page:
        page.goto(f"{address}/search?q=dog")
        assert ground(page) == DARKROOM
        other = page.context.new_page()
        other.goto(address)
        page.evaluate("window.sameDocument = true")
        page.get_by_role("button", name="Light").click()
        expect(page.get_by_role("button", name="Light")).to_have_attribute("aria-pressed", "true")
        assert ground(page) == PAPER
        assert page.evaluate("window.sameDocument")
        other.bring_to_front()
        other.evaluate("dispatchEvent(new Event('visibilitychange'))")
        assert ground(other) == PAPER
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        page.get_by_role("button", name="As the system").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "system")
        assert ground(page) == DARKROOM


def test_the_theme_is_there_before_any_script(browser: Browser, address: str) -> None:
    with opened_page(browser, WIDE, "dark", script=False) as page:
        page.goto(f"{address}/search?q=dog")
        page.get_by_role("button", name="Light").click()
        expect(page).to_have_url(f"{address}/search?q=dog")
        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        page.locator("#q").focus()
        expect(page.locator(".suggestions")).to_be_hidden()
        expect(page.locator("#q")).not_to_have_attribute("role", "combobox")


def test_suggestions_and_recent_searches(browser: Browser, address: str) -> None:
    with opened_page(browser, WIDE) as page:
        page.goto(address)
        field, listed = page.locator("#q"), page.locator(".suggestions [role=option]")
        field.focus()
        expect(listed).to_have_count(0)  # nothing was searched for yet
        page.keyboard.type("dog ani")
        expect(listed).to_have_count(1)
        expect(field).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("ArrowDown")
        expect(field).to_have_attribute("aria-activedescendant", "option-0")
        expect(listed).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")
        expect(field).to_have_value("dog folder:animals ")
        expect(field).to_have_attribute("aria-expanded", "false")
        page.keyboard.press("Enter")
        expect(page).to_have_title("dog folder:animals – Kindred")
        page.wait_for_load_state()

        page.goto(f"{address}/search?q=red+car")
        field.fill("")
        field.focus()
        page.keyboard.press("ArrowDown")
        expect(listed).to_have_text(["red car", "dog folder:animals"])
        page.keyboard.press("Escape")
        expect(listed).to_have_count(0)
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowDown")
        listed.nth(1).click()
        expect(page).to_have_title("dog folder:animals – Kindred")
        page.wait_for_load_state()

        field.fill("")
        field.focus()
        page.keyboard.press("ArrowDown")
        page.get_by_role("button", name="Forget them").click()
        page.goto(address)
        field.focus()
        page.keyboard.press("ArrowDown")
        expect(listed).to_have_count(0)


def test_what_is_typed_is_never_replaced_unasked(browser: Browser, address: str) -> None:
    with opened_page(browser, WIDE) as page:
        page.goto(address)
        page.locator("#q").press_sequentially("animals")
        expect(page.locator(".suggestions [role=option]")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page).to_have_title("animals – Kindred")


def test_a_page_says_that_kindred_is_not_running(browser: Browser, shared_library: Library) -> None:
    data = str(shared_library.settings.data_dir)
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    with program("--data", data) as (_, address):
        page.goto(address)
        page.get_by_role("button", name="Light").click()
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.goto(f"{address}/search?q=dog")
        expect(page).to_have_title("dog – Kindred")
    page.goto(f"{address}/search?q=cat")
    expect(page.locator("h1")).to_have_text("Kindred is not running")
    assert ground(page) == PAPER
    with program("--data", data, "--port", str(urlsplit(address).port)):
        page.get_by_role("link", name="Try again").click()
        expect(page).to_have_title("cat – Kindred")
        assert page.evaluate("caches.keys().then((names) => names.length)") == 1
    context.close()
