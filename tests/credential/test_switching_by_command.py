"""A tenant from a key to none and back, by the command's own code, the engine, AWS and OpenAI of a local cell, while a
client of the reader calls."""

from __future__ import annotations

from typing import Any

import pytest

from ops.actions import run_credential
from ops.actions.credential import Target
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
    assert "`myflux-keys disable cove` deletes its federation rule" in refused
    assert "ends within 15 minutes" in refused
    here.told("disable", "cove")
    assert here.federation_rules("cove") == 0
    assert "enabled: false" in here.file("cove").read_text(encoding="utf-8")
    here.told("enable", "cove")
    assert here.federation_rules("cove") == 1


def test_stopped_after_each_deployment_the_same_call_goes_on(here: Switching, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Ctrl-C, which comes before what a deployment brought about is noted."""
    here.new("inlet")
    whole, stops = run_credential._Means.up, 0

    def stopped(means: Any, *, unprotect: bool) -> int:
        nonlocal stops
        changed = whole(means, unprotect=unprotect)
        if changed:
            stops += 1
            raise KeyboardInterrupt
        return changed

    monkeypatch.setattr(run_credential._Means, "up", stopped)
    with here.calling("inlet"):
        _stopped_again_and_again(here, "federated")
    assert stops == len(["a rule and an identity", "no key and no secret"])
    assert here.live_keys("inlet") == []
    assert here.federation_rules("inlet") == 1

    stops = 0
    with here.calling("inlet"):
        _stopped_again_and_again(here, "key")
    # The engine takes a restored secret in as it is, and sets what the program says of it the next time.
    assert stops == len(["the secret, as it is", "its settings", "readers get the key", "no rule"])
    assert len(here.live_keys("inlet")) == 1
    assert here.federation_rules("inlet") == 0


def _stopped_again_and_again(here: Switching, target: Target) -> None:
    while True:
        try:
            here.switch("inlet", target)
        except KeyboardInterrupt:
            continue
        return


def test_a_rule_that_was_deleted_by_hand_is_made_again_by_one_command(here: Switching) -> None:
    """The provisioner's input is the same, so a plain `up` has nothing to do, and a preview shows nothing."""
    here.told("new", "fen", "--from", "acme", "--name", "fen", "--credential", "federated")
    here.up("fen.local")
    here.delete_rules("fen")
    assert "myflux-keys up fen --refresh" in here.command("verify", "fen").stdout
    assert here.told("up", "fen", "--no-marks")["stacks"]["fen.local"]["changes"].keys() == {"same"}
    assert here.federation_rules("fen") == 0

    mended = here.told("up", "fen", "--refresh")["stacks"]["fen.local"]["changes"]
    assert mended["update"] == 1, "the call of the provisioner"
    assert here.federation_rules("fen") == 1
    with here.calling("fen"):
        assert here.told("preview", "fen")["stacks"]["fen.local"]["changes"].keys() == {"same"}
    assert here.told("up", "fen")["stacks"]["fen.local"]["outcome"] == "unchanged (by mark)"
    assert here.told("up", "fen", "--refresh")["stacks"]["fen.local"]["changes"]["update"] == 1, "and again"
    assert here.federation_rules("fen") == 1
