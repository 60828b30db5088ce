"""A tenant leaves, stopped by Ctrl-C at each step: nothing is open at any of them, and its slug never comes back."""

from __future__ import annotations

import shutil

import openai
import pytest

from myflux_keys import AccessDeniedError, KeyReaderError
from tests.tenants_life.conftest import Life

pytestmark = [pytest.mark.engine, pytest.mark.cell]


def test_stopped_at_each_step_nothing_is_open_and_the_same_command_ends_it(life: Life) -> None:
    slug = "leaver"
    life.new(slug)

    # The local cell cannot be production, so its state is made to say what production's does.
    life.pulumi("state", "protect", "--all", "--yes", "--stack", f"{slug}.local")
    protected = life.refused("offboard", slug, "--yes")
    assert f"{slug}-key-secret" in protected
    assert "--unprotect" in protected
    assert len(life.told("offboard", slug, "--dry-run")["plan"]) == 5
    asked = life.command("offboard", slug, "--unprotect")
    assert (asked.returncode, "--yes" in asked.stderr) == (2, True), "silence is not consent"
    assert "enabled: false" not in life.file(slug).read_text(encoding="utf-8"), "none of these changes anything"
    assert life.key_id(slug) in life.live_keys(slug)

    again = ("offboard", slug, "--yes", "--unprotect", "--reason", "contract ended")
    told = life.struck("PutResourcePolicy", *again)
    assert "Stopped" in told
    with pytest.raises(AccessDeniedError):
        life.key_id(slug)
    assert "enabled: false" in life.file(slug).read_text(encoding="utf-8"), "an up meanwhile would let readers in"

    life.struck("CancelRotateSecret", *again)
    with pytest.raises(AccessDeniedError):
        life.key_id(slug)
    assert not life.secret(slug).get("RotationEnabled"), "no new key comes while the old ones die"

    # The first call asks the sweep function for its version.
    life.struck("invocations", *again, earlier=1)
    assert life.live_keys(slug) == []
    with pytest.raises(AccessDeniedError):
        life.key_id(slug)

    life.struck("DeleteSecret", *again)
    assert life.live_keys(slug) == []
    with pytest.raises(KeyReaderError):
        life.key_id(slug)
    assert life.file(slug).exists(), "the tenant is among the living until all of it is gone"

    ended = life.told(*again)
    assert ended["steps"] == ["deny", "stop", "kill", "destroy", "archive"]
    assert life.archived(slug) == [True]
    assert "DeletedDate" in life.secret(slug), "restorable for the recovery window, as a place without a working key"
    assert f"{slug}.local" not in life.stacks()
    assert not life.file(slug).exists()
    assert list(life.state.rglob(f"finished/*offboard-{slug}.json")), "this machine keeps who asked for it, and why"
    assert "already" in life.command("offboard", slug, "--yes").stdout, "once more changes nothing"

    _its_slug_is_used_up(life, slug)


def test_a_stopped_off_boarding_tells_what_lives_and_goes_on_though_the_secret_is_deleted(life: Life) -> None:
    slug = "leaves-in-two"
    life.new(slug)
    project = life.project_id(slug)
    with openai.OpenAI(admin_api_key=life.cell.openai.create_admin_key(), base_url=life.cell.openai_url) as client:
        accounts = client.admin.organization.projects.service_accounts
        twin = accounts.create(project, name="myflux-runtime").api_key
        assert twin is not None
        life.cell.openai.fault("500", path="/archive$", count=None)
        try:
            told = life.refused("offboard", slug, "--yes")
        finally:
            life.cell.openai.clear_faults()
        assert twin.id in told, "an account of our name is ours: its key was ended, and named"
        assert "the tenant's project has no valid key" in told, "read when the destroy had failed"
        assert life.live_keys(slug) == []
        assert "DeletedDate" in life.secret(slug)
    life.cell.openai.create_user_key(project, "made meanwhile")
    (late,) = life.live_keys(slug)
    again = life.command("offboard", slug, "--yes")
    assert again.returncode == 0, again.stderr
    assert late in again.stderr, "the same command ends what lives, though the secret can no longer be read"
    assert "not checked: the secret's deletion is scheduled" in again.stderr
    assert life.archived(slug) == [True]


def _its_slug_is_used_up(life: Life, slug: str) -> None:
    assert "off-boarded" in life.refused("new", slug, "--from", "acme", "--name", "Somebody")
    shutil.copy(life.fleet / "tenants" / "archive" / f"{slug}.yaml", life.file(slug))
    try:
        told = life.refused("validate")
        assert f"tenants/{slug}.yaml:2: tenant" in told
        assert "slug-reused" in told
    finally:
        life.file(slug).unlink()


def test_a_rename_is_refused_with_the_reason_and_the_way(life: Life) -> None:
    told = life.refused("rename", "acme", "zeta")
    assert "cannot be renamed" in told
    assert "myflux-keys new zeta --from acme" in told
    assert "myflux-keys offboard acme" in told
