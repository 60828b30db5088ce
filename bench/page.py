"""What `status --html` costs for 2,000 tenants: building the page, its size, and the time until a browser has drawn it.

The page is opened from a file in the browser that tools/browser.py finds, in a context of its own each time. Drawn is
the moment after the first frame: facts parsed, tiles made, laid out and painted.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from bench.figures import Figure, at_most
from bench.measure import seconds, spread
from ops.page.page import page
from tests.browser.launch import chromium, opening
from tests.page import fleets

SIZES: Final = (200, 2_000)
QUICK: Final = (20,)
TIMES: Final = 5
MEGABYTES: Final = 2.0
SECONDS: Final = 1.0

_DRAWN: Final = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now() / 1000))))"


def run(home: Path, *, quick: bool = False) -> list[Figure]:
    """Less than a minute."""
    folder = home / "page"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with chromium() as browser:
        return [line for tenants in (QUICK if quick else SIZES) for line in figures(tenants, folder, browser)]


def figures(tenants: int, folder: Path, browser: Browser) -> list[Figure]:
    fleet = fleets.of(tenants)
    built = spread([seconds(lambda: page(fleet)) for _ in range(TIMES)])
    file = folder / f"{tenants}.html"
    file.write_bytes(page(fleet))
    drawn = spread([_drawn(file, browser) for _ in range(TIMES)])
    where = f"a page of {tenants:,} tenants"
    return [
        Figure(f"{where}: build it from what is known", built.median, "s", note=str(built)),
        at_most(f"{where}: size", file.stat().st_size / 1e6, "MB", MEGABYTES),
        at_most(f"{where}: open it until it is drawn", drawn.median, "s", SECONDS, note=str(drawn)),
    ]


def _drawn(file: Path, browser: Browser) -> float:
    with opening(browser) as new_page:
        shown = new_page()
        shown.goto(file.as_uri())
        return shown.evaluate(_DRAWN)
