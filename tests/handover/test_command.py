"""`myflux-keys handover` as a person runs it: a real role with MFA, a real page in a real browser, a real record."""

from __future__ import annotations

import base64
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.launch import NewPage
from tests.handover.world import World
from tools import browser as browsers

pytestmark = [pytest.mark.browser, pytest.mark.cell]


def test_a_key_is_handed_over_recorded_and_read_back(world: World, new_page: NewPage) -> None:
    tenant = world.tenant()
    key = tenant.current
    with world.command(
        tenant.slug, "--consumer", "cinnox", "--json", "--mfa-serial", world.cell.second_factor()[0]
    ) as running:
        running.give(world.code())
        page = new_page()
        page.goto(running.link())
        expect(page.locator("#masked")).to_have_text(f"…{key.value[-4:]}")
        page.get_by_role("button", name="Saved in CINNOX").click()
        page.get_by_role("button", name="Yes, it worked").click()
        expect(page.locator("h1")).to_contain_text("Recorded")
        lines = page.locator("#lines li").all_inner_texts()
        code, out = running.end()

    told: dict[str, Any] = json.loads(out)
    record = world.record(tenant.slug)
    assert record is not None
    assert (code, told["end"], told["recorded"], told["test"]) == (0, "saved", True, "worked")
    assert (record.key_id, record.version_id, record.by) == (key.id, told["version_id"], "deployer")
    assert (told["state"], told["old_key"]["id"]) == ("saved", tenant.old.id), "it is too early to know that it is unused"
    assert tenant.old.id in lines[1]
    entry = world.journal()[-1]
    assert (entry["operation"], entry["done"]) == ("handover-cinnox", ["read", "confirmed"])
    assert entry["entries"][tenant.slug]["outcome"] == "succeeded"
    (read,) = world.reads(tenant.slug)
    assert read["userIdentity"]["arn"].endswith(":assumed-role/myflux-local-handover/deployer")
