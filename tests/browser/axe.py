"""Searches an open page for what keeps a person out, by axe-core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_MOST_ELEMENTS = 5


def axe(page: Page) -> None:
    """Fails with each violated rule, and the elements that violate it. All of axe's rules run, best practices too."""
    if found := violations(page):
        pytest.fail("axe-core reports:\n" + "\n".join(found), pytrace=False)


def violations(page: Page) -> list[str]:
    """One text a rule: its name, what it asks, where it is explained, then the elements and what is wrong with them."""
    answer: Mapping[str, Any] = Axe().run(page).response
    assert answer["passes"], "axe-core checked nothing on this page"
    return [_told(rule) for rule in answer["violations"]]


def _told(rule: Mapping[str, Any]) -> str:
    lines = [f"{rule['id']} ({rule['impact']}): {rule['help']}, {rule['helpUrl']}"]
    for node in rule["nodes"][:_MOST_ELEMENTS]:
        lines += [f"  {node['html']}", *(f"    {line}" for line in node["failureSummary"].splitlines())]
    if more := len(rule["nodes"]) - _MOST_ELEMENTS:
        lines += [f"  and {more} more elements"] if more > 0 else []
    return "\n".join(lines)
