"""Customers who keep their OpenAI account move and leave: what is theirs to give or to end is asked of them."""

from __future__ import annotations

import json

import pytest

from myflux_keys import KeyReaderError
from tests.customer_key.theirs import TheirOpenAI
from tests.tenants_life.conftest import Life

pytestmark = [pytest.mark.engine, pytest.mark.cell]

ORGANIZATION = "org-keeper"


def written(life: Life, slug: str, **fields: object) -> None:
    """The tenant's file, as a person would write it: a line for each field."""
    told = {"tenant": slug, "name": slug, "cell": "local", "country": "CR", "source": "customer"} | fields
    lines = [f"{field}: {value if isinstance(value, str) else json.dumps(value)}" for field, value in told.items()]
    life.file(slug).write_text("\n".join([*lines, "models: [gpt-5.4-mini]", ""]), encoding="utf-8")


def test_a_key_that_they_brought_is_brought_again_and_outlives_the_tenant(life: Life) -> None:
    slug = "bringer"
    written(life, slug)
    life.up(f"{slug}.local")
    key_id, value = TheirOpenAI(life.cell).key()
    life.given(value, "key", "set", slug)
    stored = ("AWSCURRENT",)
    assert tuple(*life.secret(slug)["VersionIdsToStages"].values()) == stored

    moved = life.command("move", slug, "--to", "other")
    assert moved.returncode == 0, moved.stderr
    assert f"myflux-keys key set {slug}" in moved.stdout
    told = life.refused("move", slug, "--finish", "--from", "local", "--yes")
    assert "has no key" in told, "the old cell is the only one that serves"
    life.given(value, "key", "set", slug)
    life.told("move", slug, "--finish", "--from", "local", "--yes")
    assert tuple(*life.secret(slug, "other")["VersionIdsToStages"].values()) == stored

    done = life.command("offboard", slug, "--yes")
    assert done.returncode == 0, done.stderr
    assert "ask them to revoke it in their OpenAI account" in done.stderr
    with pytest.raises(KeyReaderError):
        life.key_id(slug, "other")
    assert not life.file(slug).exists()
    living = {key.id for project in life.cell.openai.projects(TheirOpenAI.organization) for key in project.live_keys}
    assert key_id in living, "it was never ours to end"


def admin_key(life: Life) -> str:
    life.cell.openai.open_customer(ORGANIZATION)
    return life.cell.openai.create_admin_key("theirs", organization_id=ORGANIZATION)


def test_keys_minted_in_their_organization_wait_for_their_admin_key_in_the_new_cell_and_die_here(life: Life) -> None:
    slug = "keeper"
    written(life, slug, organization_id=ORGANIZATION)
    life.up(f"{slug}.local")
    here = ("admin-key", "set", "--tenant", slug)
    there = (*here, "--cell", "other")
    life.given(admin_key(life), *here)
    written(life, slug, organization_id=ORGANIZATION, rotation={"every_days": 31, "overlap_hours": 24})
    life.up(f"{slug}.local")
    life.settled(slug)
    before = life.key_id(slug)

    early = life.given(admin_key(life), *there, fails=True)
    assert f"myflux-keys move {slug} --to other" in early
    told = life.refused("move", slug, "--to", "other")
    assert f"admin-key set --tenant {slug} --cell other" in told
    assert life.key_id(slug) == before, "the old cell serves as before"
    life.given(admin_key(life), *there)
    life.told("move", slug, "--to", "other")
    after = life.key_id(slug, "other")
    assert after in life.live_keys(slug, "other", ORGANIZATION)

    life.told("move", slug, "--finish", "--from", "local", "--yes")
    assert life.live_keys(slug, organization=ORGANIZATION) == [], "minted here, so ended here"
    assert life.key_id(slug, "other") == after
    left = life.told("offboard", slug, "--yes")
    assert left["steps"] == ["deny", "stop", "kill", "destroy", "archive"]
    assert life.live_keys(slug, "other", ORGANIZATION) == []
