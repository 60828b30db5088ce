"""The pictures in the documentation: one a state, small, and each shown where a person reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.screenshots import IMAGES, PICTURES
from tests.page.states import STATES

ROOT = Path(__file__).resolve().parents[2]


def test_each_state_has_a_picture_and_each_picture_a_state() -> None:
    assert {f"status-{one.name}" for one in STATES} <= {one.name for one in PICTURES}
    assert {one.stem for one in IMAGES.glob("status-*.png")} == {one.name for one in PICTURES}


@pytest.mark.parametrize("name", [one.name for one in PICTURES])
def test_a_picture_is_small_and_shown(name: str) -> None:
    assert (IMAGES / f"{name}.png").stat().st_size < 100_000, "install pngquant and run `python -m docs.screenshots`"
    pages = [page.read_text(encoding="utf-8") for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))]
    assert any(f"images/{name}.png" in page for page in pages)


def test_the_readme_shows_one() -> None:
    assert "(docs/images/status-fleet.png)" in (ROOT / "README.md").read_text(encoding="utf-8")
