"""`python -m docs.handover_screenshots`: writes the hand-over page's pictures again.

A picture depends on the machine's fonts, so no test compares it; a test knows that `docs/handover.md` shows each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import expect

from docs.screenshots import shrink
from ops.handover_page.clipboard import Clipboard
from tests.browser.launch import NewPage, chromium, opening
from tests.handover.person import NO_CLIPBOARD, Command, Tab, allow_clipboard

IMAGES: Final = Path(__file__).parent / "images"


@dataclass(frozen=True)
class Picture:
    """`act` brings an open page into the state. `context` is what playwright's `new_context` takes; `script` runs
    before the page's own."""

    name: str
    act: Callable[[Tab], object]
    script: str = ""
    context: Mapping[str, Any] = field(default_factory=dict[str, Any])


def _copied(tab: Tab) -> None:
    tab.copy()
    expect(tab.note).to_contain_text("Copied:")


def _shown(tab: Tab) -> None:
    tab.copy()
    expect(tab.page.locator("#shown")).to_be_visible()


def _in_background(tab: Tab) -> None:
    _copied(tab)
    tab.page.evaluate("document.hasFocus = () => false")
    tab.page.clock.run_for(60_000)
    expect(tab.clipboard_note).to_contain_text("when you come back")


def _asked(tab: Tab) -> None:
    _copied(tab)
    for box in tab.page.locator("#steps input").all():
        box.check()
    tab.button("Saved in CINNOX").click()
    expect(tab.page.locator("#asked")).to_be_visible()


def _failed(tab: Tab) -> None:
    tab.say_saved("No, it failed")
    expect(tab.page.locator("#save-note")).to_contain_text("Nothing was recorded")


def _not_recorded(tab: Tab) -> None:
    tab.command.refuses = "AWS cannot be reached. Check the network, HTTPS_PROXY and AWS_ENDPOINT_URL."
    tab.say_saved()
    expect(tab.page.locator("#save-note")).to_contain_text("Not recorded")


def _recorded(tab: Tab) -> None:
    _copied(tab)
    tab.say_saved()
    expect(tab.page.locator("#result")).to_be_visible()
    expect(tab.clipboard_note).to_contain_text("cleared")


def _later(tab: Tab) -> None:
    tab.button("Not now").click()
    expect(tab.title).to_contain_text("Nothing was recorded")


def _used(tab: Tab) -> None:
    tab.page = tab.page.context.new_page()
    tab.open(ready=False)
    expect(tab.title).to_contain_text("This link was used")


_KEY: Final = "sk-" + "svcacct-" + "EXAMPLE-" * 9 + "0ccd"
_PHONE: Final = {"viewport": {"width": 360, "height": 640}, "color_scheme": "dark"}
PICTURES: Final = (
    Picture("handover-open", lambda _: None),
    Picture("handover-copied", _copied),
    Picture("handover-shown", _shown, NO_CLIPBOARD, _PHONE),
    Picture("handover-background", _in_background),
    Picture("handover-asked", _asked),
    Picture("handover-failed", _failed),
    Picture("handover-not-recorded", _not_recorded),
    Picture("handover-recorded", _recorded),
    Picture("handover-later", _later),
    Picture("handover-used", _used),
)


def take(picture: Picture, new_page: NewPage) -> Path:
    command = Command(Clipboard(None), key=_KEY)
    try:
        context: dict[str, Any] = {
            "viewport": {"width": 820, "height": 300}, "reduced_motion": "reduce", "locale": "en-GB", **picture.context,
        }  # fmt: skip
        page = new_page(**context)
        allow_clipboard(page.context, command)
        page.add_init_script(picture.script)
        page.clock.install()
        tab = Tab(page, command).open()
        picture.act(tab)
        file = IMAGES / f"{picture.name}.png"
        tab.page.screenshot(path=file, full_page=True)
        return file
    finally:
        command.server.close()


def main() -> None:
    with chromium() as browser, opening(browser) as new_page:
        images = [take(picture, new_page) for picture in PICTURES]
    shrink(images)


if __name__ == "__main__":
    main()
