"""`python -m docs.screenshots [NAME…]`: writes the pictures in docs/images/ again, with the browser that tests use.

A picture depends on the machine's fonts, so no test compares it; tests know that each state has one, and each is shown.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ops.page.page import page
from tests.browser.launch import NewPage, chromium, opening
from tests.page import fleets
from tests.page.states import STATES, State

IMAGES: Final = Path(__file__).parent / "images"


@dataclass(frozen=True)
class Picture:
    """`context` is what playwright's `new_context` takes. Its width is the picture's; its height is the least."""

    name: str
    state: State
    width: int = 1040
    context: Mapping[str, Any] = field(default_factory=dict[str, Any])


PICTURES: Final = (
    *(Picture(f"status-{one.name}", one) for one in STATES),
    Picture("status-dark", STATES[0], context={"color_scheme": "dark"}),
    Picture("status-phone", STATES[4], width=360, context={"color_scheme": "dark"}),
)


def take(picture: Picture, new_page: NewPage, folder: Path) -> None:
    file = folder / "status.html"
    file.write_bytes(page(picture.state.fleet))
    shown = new_page(viewport={"width": picture.width, "height": 300}, **picture.context)
    shown.clock.set_fixed_time(fleets.NOW)
    shown.goto(file.as_uri() + picture.state.fragment)
    # Tall enough that the browser draws every tile; then as tall as what it drew.
    shown.set_viewport_size({"width": picture.width, "height": 4000})
    height = shown.evaluate("Math.ceil(document.querySelector('main').getBoundingClientRect().bottom)")
    shown.set_viewport_size({"width": picture.width, "height": height})
    shown.screenshot(path=IMAGES / f"{picture.name}.png")


def shrink(images: list[Path]) -> None:
    """To 64 colours, a third of the bytes, where pngquant is installed."""
    if quant := shutil.which("pngquant"):
        subprocess.run([quant, "--force", "--ext", ".png", "--strip", "--speed", "1", "64", *images], check=True)
    else:
        sys.stderr.write("The pictures are large: install pngquant and run this again.\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m docs.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which (default: all)")
    names: list[str] = parser.parse_args().names
    chosen = [one for one in PICTURES if not names or one.name in names]
    if unknown := {*names} - {one.name for one in PICTURES}:
        parser.error(
            f"there is no picture {', '.join(sorted(unknown))}: there are {', '.join(p.name for p in PICTURES)}"
        )
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, opening(browser) as new_page:
        for picture in chosen:
            take(picture, new_page, Path(folder))
    shrink([IMAGES / f"{picture.name}.png" for picture in chosen])


if __name__ == "__main__":
    main()
