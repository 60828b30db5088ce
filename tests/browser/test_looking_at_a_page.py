"""The help for tests of pages: it reports what it should, and a fault of a page fails its test."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.axe import axe, violations
from tests.browser.launch import NewPage, opening

pytestmark = pytest.mark.browser

GOOD = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1></main>"


def test_a_page_is_rendered_and_its_script_runs(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 320, "height": 500})
    page.set_content(f"{GOOD}<script>document.querySelector('h1').textContent = innerWidth</script>")
    assert page.locator("h1").inner_text() == "320"


def test_each_page_has_a_context_of_its_own(new_page: NewPage, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(GOOD, encoding="utf-8")
    first, second = new_page(), new_page(color_scheme="dark")
    for page in (first, second):
        page.goto(file.as_uri())
    first.evaluate("localStorage.setItem('seen', 'yes')")
    assert second.evaluate("localStorage.getItem('seen')") is None
    assert second.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")


def test_axe_passes_a_good_page_and_names_rule_and_element_of_a_bad_one(new_page: NewPage) -> None:
    page = new_page()
    page.set_content(GOOD)
    axe(page)
    page.set_content(GOOD.replace("</main>", "<img src='data:,'></main>"))
    (told,) = violations(page)
    assert told.startswith("image-alt (critical): ")
    assert '<img src="data:,">' in told
    with pytest.raises(pytest.fail.Exception, match="image-alt"):
        axe(page)


def test_axe_looks_at_a_page_whose_policy_allows_no_script(new_page: NewPage) -> None:
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
    page = new_page()
    page.set_content(GOOD.replace("<title>", f"{policy}<title>"))
    axe(page)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("<script>throw new Error('broken')</script>", "broken"),
        ("<script>console.error('of its own')</script>", "of its own"),
        ("<meta http-equiv=Content-Security-Policy content=\"style-src 'none'\"><style>p{}</style>", "style-src"),
    ],
)
def test_a_fault_that_the_browser_reports_fails_the_test(chromium: Browser, fault: str, named: str) -> None:
    with pytest.raises(AssertionError, match=named), opening(chromium) as new_page:
        new_page().set_content(GOOD.replace("<title>", f"{fault}<title>"))
