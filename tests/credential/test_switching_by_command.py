"""A tenant from a key to none and back, by the command's own code, the engine, AWS and OpenAI of a local cell, while a
client of the reader calls."""

from __future__ import annotations

import pytest

from tests.credential.conftest import Switching

pytestmark = [pytest.mark.engine, pytest.mark.cell]


def test_to_tokens_and_back_no_call_fails_and_no_key_is_left(here: Switching) -> None:
    here.new("bay")
    before = here.file("bay").read_text(encoding="utf-8")
    with here.calling("bay"):
        said = here.switch("bay", "federated")
    assert here.live_keys("bay") == []
    assert here.secret("bay")["DeletedDate"]
    assert here.federation_rules("bay") == 1
    assert here.file("bay").read_text(encoding="utf-8") == before + "credential: federated\n"
    assert any("a call with a token was answered" in line for line in said)
    assert not any("waiting" in line for line in here.switch("bay", "federated")), "again is a look"

    with here.calling("bay"):
        here.switch("bay", "key")
    assert len(here.live_keys("bay")) == 1
    assert "DeletedDate" not in here.secret("bay")
    assert here.federation_rules("bay") == 0
    assert here.file("bay").read_text(encoding="utf-8") == before
    assert not any("waiting" in line for line in here.switch("bay", "key"))


def test_a_tenant_without_a_key_is_stopped_by_disable_which_deletes_its_rule(here: Switching) -> None:
    """Nothing takes a token back, so `revoke` has nothing to do and names what does."""
    here.told("new", "cove", "--from", "acme", "--name", "cove", "--credential", "federated")
    here.up("cove.local")
    assert here.federation_rules("cove") == 1
    refused = here.refused("revoke", "cove", "--yes", "--reason", "a session was stolen")
    assert "each ends within 15 minutes. `myflux-keys disable cove` deletes its federation rule" in refused
    here.told("disable", "cove")
    assert here.federation_rules("cove") == 0
    assert "enabled: false" in here.file("cove").read_text(encoding="utf-8")
    here.told("enable", "cove")
    assert here.federation_rules("cove") == 1
