"""A line of a tenant's file changes: the preview shows what will happen, and up does that and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from myflux_keys import AccessDeniedError, KeyReader, names
from tests.program.rig import CELL, Rig, Run

pytestmark = [pytest.mark.engine, pytest.mark.cell]

SLUG = "harbor"
STACK = f"{SLUG}.{CELL}"
INVOCATION = f"{SLUG}-openai-invocation"
SECRET = f"{SLUG}-key-secret"
POLICY = f"{SLUG}-key-policy"
DECLARATION = f"{SLUG}-declaration"
ROTATION = f"{SLUG}-rotation"
ANSWERED = {f'tags["{tag}"]' for tag in (names.TAG_PROJECT_ID, names.TAG_SERVICE_ACCOUNT_ID)} | {"tagsAll"}


@pytest.fixture(scope="module")
def tenant(platform: Rig) -> Rig:
    platform.add_tenant(SLUG)
    platform.up(STACK)
    platform.await_first_key(SLUG)
    return platform


@pytest.fixture
def change(tenant: Rig) -> Iterator[Callable[[str, str], Run]]:
    """Edits the tenant's file, previews, brings it about. A failed test's change does not reach the next one."""
    file = tenant.tenant_file(SLUG)
    before = file.read_text(encoding="utf-8")

    def edit(old: str, new: str) -> Run:
        tenant.edit(SLUG, old, new)
        planned = tenant.preview(STACK)
        done = tenant.up(STACK)
        more = planned.changed.keys() - done.changed.keys()
        assert planned.changed.items() >= done.changed.items(), "up does nothing that its preview did not say"
        if more:
            # What the provisioner will answer is open until it has: the ids that the secret carries as tags.
            assert more == {SECRET}, "and the preview says nothing that up does not do"
            assert INVOCATION in done.changed
            assert set(planned.step(SECRET).diff) <= ANSWERED
        return done

    yield edit
    if file.read_text(encoding="utf-8") != before:
        file.write_text(before, encoding="utf-8")
        rotated = tenant.last_rotated(SLUG)
        # An interval that is another again rotates too, after `up` has ended: the next test must not meet it.
        if ROTATION in tenant.up(STACK).changed:
            tenant.await_rotation(SLUG, rotated)


def _tags(rig: Rig) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in rig.describe(SLUG)["Tags"]}


def test_a_changed_limit_is_plain_json_in_the_preview_and_touches_openai_and_the_declaration(
    tenant: Rig, change: Callable[[str, str], Run]
) -> None:
    version = tenant.current(SLUG)
    (project,) = tenant.projects(SLUG)
    done = change("requests_per_minute: 500", "requests_per_minute: 450")
    assert done.changed == {INVOCATION: "update", DECLARATION: "update"}, (
        "in place: a replaced project would be archived for ever"
    )
    assert set(done.step(INVOCATION).diff) == {"input"}
    asked = _inputs(tenant, INVOCATION)
    assert json.loads(asked["input"])["rate_limits"]["gpt-5.4-mini"]["requests_per_minute"] == 450
    assert [p.id for p in tenant.projects(SLUG)] == [project.id]
    assert tenant.current(SLUG) == version, "the key stays"
    with openai.OpenAI(admin_api_key=tenant.cell.openai.create_admin_key(), base_url=tenant.cell.openai_url) as client:
        limits = client.admin.organization.projects.rate_limits.list_rate_limits(project.id)
        held = {limit.model: limit.max_requests_per_1_minute for limit in limits}
    assert held["gpt-5.4-mini"] == 450, "and OpenAI holds it"


def _inputs(rig: Rig, name: str) -> dict[str, Any]:
    return next(r for r in rig.resources(STACK) if r["urn"].endswith(f"::{name}"))["inputs"]


def test_another_model_reaches_openai_and_the_rotation_functions_tags(
    tenant: Rig, change: Callable[[str, str], Run]
) -> None:
    done = change("models: [gpt-5.4-mini]", "models: [gpt-5.4-mini, gpt-6-luna]")
    assert done.changed == {INVOCATION: "update", SECRET: "update", DECLARATION: "update"}
    assert set(done.step(SECRET).diff) <= {f'tags["{names.TAG_MODELS}"]', "tags", "tagsAll"}
    assert _tags(tenant)[names.TAG_MODELS] == "gpt-5.4-mini gpt-6-luna"


def test_another_interval_rotates_at_once_so_that_no_key_expires_before_its_next_turn(
    tenant: Rig, change: Callable[[str, str], Run]
) -> None:
    """A key lives for the interval it was minted in and a margin: a longer interval alone would outlast it."""
    before = tenant.last_rotated(SLUG)
    done = change("every_days: 30", "every_days: 14")
    assert done.changed == {SECRET: "update", ROTATION: "update"}
    assert _tags(tenant)[names.TAG_EVERY_DAYS] == "14"
    tenant.await_rotation(SLUG, before)


def test_another_overlap_or_permission_is_a_tag_that_the_next_rotation_reads(
    tenant: Rig, change: Callable[[str, str], Run]
) -> None:
    version = tenant.current(SLUG)
    assert change("overlap_hours: 24", "overlap_hours: 12").changed == {SECRET: "update"}
    assert _tags(tenant)[names.TAG_OVERLAP_HOURS] == "12"
    assert tenant.current(SLUG) == version


def test_a_switched_off_tenant_is_refused_and_one_switched_on_again_reads(
    tenant: Rig, change: Callable[[str, str], Run], reader: Callable[..., KeyReader]
) -> None:
    before = reader().get(SLUG)
    off = change("enabled: true", "enabled: false")
    assert off.changed == {POLICY: "update", DECLARATION: "update"}, "nothing but the lock, and that health knows"
    with pytest.raises(AccessDeniedError):
        reader().get(SLUG)
    tenant.rotate(SLUG)
    on = change("enabled: false", "enabled: true")
    assert on.changed == {POLICY: "update", DECLARATION: "update"}
    assert reader().get(SLUG).key_id != before.key_id, "a switched-off tenant's key rotates on"


def test_consumers_are_a_tag_that_the_sweep_names_in_its_alarms(tenant: Rig, change: Callable[[str, str], Run]) -> None:
    version = tenant.current(SLUG)
    wanted = {SECRET: "update", POLICY: "update"}
    assert change("cinnox: false", "cinnox: true").changed == wanted, "a person may read it now"
    assert _tags(tenant)[names.TAG_CONSUMERS].split() == ["myflux", "cinnox"]
    assert tenant.current(SLUG) == version, "who uses a key is no reason to change it"


def test_a_neighbour_is_never_part_of_the_plan(tenant: Rig, change: Callable[[str, str], Run]) -> None:
    done = change("monthly_usd: 200", "monthly_usd: 250")
    assert done.changed == {INVOCATION: "update", DECLARATION: "update"}
    strangers = [
        step.name for step in done.steps if not step.name.startswith((SLUG, "myflux-keys-", CELL, "organization/"))
    ]
    assert strangers == []
