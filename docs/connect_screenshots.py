"""`python -m docs.connect_screenshots`: writes the connect page's pictures again, from the function on a local cell.

A picture depends on the machine's fonts, so no test compares it; a test knows that `docs/connect-page.md` shows each.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import expect

from docs.screenshots import shrink
from local.cell import LocalCell
from tests.browser.launch import NewPage, chromium, opening
from tests.connect_page.customer import Customer, Tab
from tests.connect_page.serving import Served
from tests.connect_page.world import Given, Intake
from tests.customer_key.theirs import TheirOpenAI

IMAGES: Final = Path(__file__).parent / "images"
_ADMIN: Final = "sk-" + "admin-" + "Lm2Np5" * 12


@dataclass(frozen=True)
class Scene:
    tab: Tab
    given: Given
    theirs: TheirOpenAI


@dataclass(frozen=True)
class Picture:
    """`act` brings an open page into the state. `context` is what playwright's `new_context` takes."""

    name: str
    act: Callable[[Scene], object]
    language: str = "en"
    context: Mapping[str, Any] = field(default_factory=dict[str, Any])


def _key_step(scene: Scene) -> None:
    for _ in range(6):
        scene.tab.page.locator("#steps details[open] button").click()


def _right(scene: Scene) -> None:
    scene.tab.paste(f"OPENAI_API_KEY={scene.theirs.key()[1]}")
    scene.tab.wait_until_right()


def _admin_key(scene: Scene) -> None:
    scene.tab.paste(_ADMIN)
    scene.tab.wait_for("shape", "bad")


def _no_balance(scene: Scene) -> None:
    key = scene.theirs.key()[1]
    scene.given.intake.cell.openai.fault("balance_gone", count=1)
    scene.tab.paste(key)
    scene.tab.wait_for("balance", "bad")


def _not_now(scene: Scene) -> None:
    key = scene.theirs.key()[1]
    scene.given.intake.cell.openai.fault("500", count=2)
    scene.tab.paste(key)
    scene.tab.wait_for("accepted", "unknown")


def _saved(scene: Scene) -> None:
    _right(scene)
    scene.tab.save.click()
    scene.tab.wait_for_receipt()


def _waiting(scene: Scene) -> None:
    _saved(scene)
    scene.given.decide("waiting")
    scene.tab.page.reload()
    scene.tab.wait_for_receipt()


def _refused(scene: Scene) -> None:
    _saved(scene)
    scene.given.take("unpaid")
    scene.tab.page.reload()
    expect(scene.tab.page.locator("#refused")).to_be_visible()


def _revoked(scene: Scene) -> None:
    scene.given.revoke()
    scene.tab.page.reload()
    expect(scene.tab.page.locator("h1")).to_contain_text("withdrawn")


_PHONE: Final = {"viewport": {"width": 360, "height": 640}, "color_scheme": "dark"}
PICTURES: Final = (
    Picture("connect-open", lambda scene: scene),
    Picture("connect-steps", _key_step, "es"),
    Picture("connect-right", _right),
    Picture("connect-admin-key", _admin_key),
    Picture("connect-no-balance", _no_balance, "es", _PHONE),
    Picture("connect-not-now", _not_now),
    Picture("connect-saved", _saved),
    Picture("connect-waiting", _waiting, "es", _PHONE),
    Picture("connect-refused", _refused),
    Picture("connect-revoked", _revoked),
)


def take(picture: Picture, intake: Intake, served: Served, new_page: NewPage) -> Path:
    given = intake.issue(language=picture.language)
    context: dict[str, Any] = {"viewport": {"width": 820, "height": 300}, "reduced_motion": "reduce", **picture.context}
    scene = Scene(Customer(served, new_page).open(given, **context), given, TheirOpenAI(intake.cell))
    picture.act(scene)
    file = IMAGES / f"{picture.name}.png"
    scene.tab.page.screenshot(path=file, full_page=True)
    return file


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        cell = LocalCell.start(Path(folder))
        try:
            intake = Intake(cell)
            os.environ.update(cell.environment() | intake.credentials() | intake.variables)
            served = Served()
            try:
                with chromium() as browser, opening(browser) as new_page:
                    images = [take(picture, intake, served, new_page) for picture in PICTURES]
            finally:
                served.stop()
                intake.close()
        finally:
            cell.stop()
    shrink(images)


if __name__ == "__main__":
    main()
