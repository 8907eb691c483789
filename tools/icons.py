"""Writes static/icons: static/icon.svg as the PNGs that systems ask an installed site for.

`python -m tools.icons`, from the project's root. Needs a Chromium.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.chromium import MISSING, find_chromium

STATIC = Path(__file__).parent.parent / "static"
PAPER = "#faf8f5"
# The system cuts its own shape out of what is maskable (its safe zone is a circle of 80%), and out
# of a touch icon: these are paper up to their edges.
ICONS = {
    "icon-192": (192, 1.0, "transparent"),
    "icon-512": (512, 1.0, "transparent"),
    "maskable-512": (512, 0.8, PAPER),
    "touch-180": (180, 0.9, PAPER),
}
"""By file name: pixels, how much of them the drawing takes, and what is behind it."""


def main() -> int:
    """Draw each icon with a Chromium."""
    path = find_chromium()
    if path is None:
        print(MISSING, file=sys.stderr)
        return 2
    (STATIC / "icons").mkdir(exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name, (pixels, share, ground) in ICONS.items():
            draw(browser, STATIC / "icons" / f"{name}.png", pixels, share, ground)
        browser.close()
    return 0


def draw(browser: Browser, target: Path, pixels: int, share: float, ground: str) -> None:
    """One icon, as the light theme has it."""
    drawing = (STATIC / "icon.svg").read_text(encoding="utf-8")
    page = browser.new_page(viewport={"width": pixels, "height": pixels}, color_scheme="light")
    page.set_content(
        f"""<style>
            body {{ margin: 0; height: 100vh; display: grid; place-items: center;
                background: {ground} }}
            svg {{ width: {share:.0%}; height: {share:.0%} }}
        </style>{drawing}"""
    )
    page.screenshot(path=target, omit_background=True)
    page.close()


if __name__ == "__main__":
    sys.exit(main())
