"""A tenant from a key to none and back, by the command's own code, the engine, AWS and OpenAI of a local cell, while a
client of the reader calls."""

from __future__ import annotations

from typing import Any

import pytest

from components.iam import denied_sessions
from ops.actions import run_credential
from ops.actions.credential import TOKENS, Phase, Target
from tests.credential.conftest import Switching, rotating
from tests.kills.switching import delete_rules, federation_rules

pytestmark = [pytest.mark.engine, pytest.mark.cell]


def test_to_tokens_and_back_no_call_fails_and_no_key_is_left(here: Switching) -> None:
    here.new("bay")
    before = here.file("bay").read_text(encoding="utf-8")
    with here.calling("bay"):
        said = here.switch("bay", "federated")
    assert here.live_keys("bay") == []
    assert here.secret("bay")["DeletedDate"]
    assert federation_rules(here, "bay") == 1
    assert here.file("bay").read_text(encoding="utf-8") == before + "credential: federated\n"
    assert any("a call with a token was answered" in line for line in said)
    assert not any("waiting" in line for line in here.switch("bay", "federated")), "again is a look"

    with here.calling("bay"):
        here.switch("bay", "key")
    assert len(here.live_keys("bay")) == 1
    assert "DeletedDate" not in here.secret("bay")
    assert federation_rules(here, "bay") == 0
    assert here.file("bay").read_text(encoding="utf-8") == before
    assert not any("waiting" in line for line in here.switch("bay", "key"))

    here.deny("bay")
    (shown,) = here.asked("status", "bay")["fleet"]["cells"][0]["tenants"]
    assert shown["state"] == "sessions denied", "its runtime cannot read the key either"
    here.told("enable", "bay")
    assert here.denied_sessions()["bay"] != denied_sessions.ALL


def test_a_tenant_without_a_key_is_stopped_by_disable_which_deletes_its_rule(here: Switching) -> None:
    here.keyless("cove")
    assert federation_rules(here, "cove") == 1
    here.told("disable", "cove")
    assert federation_rules(here, "cove") == 0
    assert "enabled: false" in here.file("cove").read_text(encoding="utf-8")
    asked = here.asked("verify", "cove")["steps"]
    found = {one["step"]: one for one in asked}
    amiss = [one for one in asked if one["state"] != "ok" and one["step"] != "health function"]
    assert amiss == [], "all is as it should be, but for the health function, which has not run"
    assert found["federation rule"]["answer"].startswith("there is none")
    assert found["sessions"]["answer"].endswith("none is denied")
    here.told("enable", "cove")
    assert federation_rules(here, "cove") == 1


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
    assert federation_rules(here, "inlet") == 1

    stops = 0
    with here.calling("inlet"):
        _stopped_again_and_again(here, "key")
    # The engine takes a restored secret in as it is, and sets what the program says of it the next time.
    assert stops == len(["the secret, as it is", "its settings", "readers get the key", "no rule"])
    assert len(here.live_keys("inlet")) == 1
    assert federation_rules(here, "inlet") == 0


def test_a_rotation_cannot_mint_after_the_keys_end(here: Switching, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine deletes a rotation last of all, and ends the key first. The switch is stopped between its own step,
    which turns the rotation off, and the engine's, and is turned back then."""
    here.new("gulf")
    write, up = run_credential._Means.write, run_credential._Means.up
    before = here.live_keys("gulf")

    def written(means: Any, phase: Phase) -> None:
        write(means, phase)
        if phase == TOKENS:
            means.account.secrets.rotate_secret(SecretId=here.tenant("gulf").secret)

    def deployed(means: Any, *, unprotect: bool) -> int:
        if unprotect:
            assert not rotating(here, "gulf"), "the one that was under way has ended"
            assert here.secret("gulf")["RotationEnabled"] is False
            assert "nothing to rotate" in here.refused("rotate", "gulf", "--yes", "--reason", "a test")
            raise KeyboardInterrupt
        return up(means, unprotect=unprotect)

    with monkeypatch.context() as patched:
        patched.setattr(run_credential._Means, "write", written)
        patched.setattr(run_credential._Means, "up", deployed)
        with pytest.raises(KeyboardInterrupt):
            here.switch("gulf", "federated")
    assert set(here.live_keys("gulf")) > set(before), "the rotation that was under way has minted"
    with here.calling("gulf"):
        here.switch("gulf", "key")
    assert here.secret("gulf")["RotationEnabled"] is True


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
    delete_rules(here, "fen")
    assert "myflux-keys up fen --refresh" in here.command("verify", "fen").stdout
    assert here.told("up", "fen", "--no-marks")["stacks"]["fen.local"]["changes"].keys() == {"same"}
    assert federation_rules(here, "fen") == 0

    mended = here.told("up", "fen", "--refresh")["stacks"]["fen.local"]["changes"]
    assert mended["update"] == 1, "the call of the provisioner"
    assert federation_rules(here, "fen") == 1
    with here.calling("fen"):
        assert here.told("preview", "fen")["stacks"]["fen.local"]["changes"].keys() == {"same"}
    assert here.told("up", "fen")["stacks"]["fen.local"]["outcome"] == "unchanged (by mark)"
    assert here.told("up", "fen", "--refresh")["stacks"]["fen.local"]["changes"]["update"] == 1, "and again"
    assert federation_rules(here, "fen") == 1
