"""What the deployed sweep says when a secret goes or is tagged anew by hand, while its keys live on at OpenAI."""

from __future__ import annotations

import time
from datetime import UTC
from typing import Any

import openai
import pytest

from functions.sweep.orphans import SETTLING_SECONDS
from tests.sweep.conftest import Bench

pytestmark = pytest.mark.cell
DAY = 86_400


def asked(bench: Bench, *tenants: str, **event: Any) -> dict[str, Any]:
    return bench.invoke(bench.names.sweep_function, {"action": "orphans", "tenants": list(tenants) or None, **event})


def orphan(answer: dict[str, Any], slug: str) -> dict[str, Any] | None:
    return next((entry for entry in answer["orphans"] if entry["tenant"] == slug), None)


def test_a_secret_deleted_by_hand_is_told_until_its_key_is_dead_and_nothing_is_ended(bench: Bench) -> None:
    tenant = bench.tenant()
    held = tenant.held("AWSCURRENT")
    bench.cell.advance(SETTLING_SECONDS)
    assert orphan(asked(bench, tenant.slug), tenant.slug) is None
    deleted = bench.client("administrator", "secretsmanager").delete_secret(SecretId=tenant.arn, RecoveryWindowInDays=7)

    found = orphan(asked(bench), tenant.slug)
    assert found
    assert (found["kind"], found["keys"]) == ("SecretDeleted", [held["key_id"]])
    assert found["deletion"][:16] == f"{deleted['DeletionDate'].astimezone(UTC):%Y-%m-%dT%H:%M}"
    assert tenant.slug not in asked(bench)["tenants"], "its versions cannot be looked at"
    scheduled = bench.sweep(due=True)
    assert orphan(scheduled, tenant.slug) == found, "by the schedule as by hand"
    assert bench.numbers("SecretDeleted", Tenant=tenant.slug) == [1.0, 1.0]
    tenant.use(held)

    bench.cell.advance(8 * DAY)
    _await_removal(bench, tenant.arn)
    gone = orphan(bench.sweep(due=True), tenant.slug)
    assert gone
    assert (gone["kind"], gone["keys"], gone["secret"]) == ("SecretMissing", [held["key_id"]], None)
    assert bench.numbers("SecretMissing", Tenant=tenant.slug) == [1.0, 1.0]
    tenant.use(held)

    bench.cell.advance(30 * DAY)
    dead = orphan(bench.sweep(due=True), tenant.slug)
    assert dead
    assert dead["keys"] == [], "by its own expiry: interval, overlap and 72 hours"
    _archive(bench, tenant.ids["project_id"])
    assert orphan(bench.sweep(due=True), tenant.slug) is None
    assert '"sweep.orphan"' in bench.logged()


def test_a_restored_secret_is_swept_again_with_the_key_that_it_had(bench: Bench) -> None:
    tenant = bench.tenant()
    administrator = bench.client("administrator", "secretsmanager")
    administrator.delete_secret(SecretId=tenant.arn, RecoveryWindowInDays=7)
    bench.cell.advance(2 * 3600)
    assert orphan(bench.sweep(due=True), tenant.slug)
    administrator.restore_secret(SecretId=tenant.arn)
    answer = asked(bench, tenant.slug)
    assert (answer["orphans"], answer["tenants"]) == ([], [tenant.slug])
    assert set(tenant.live()) == {tenant.held("AWSCURRENT")["key_id"]}, "no sweep ended what a restored secret needs"


@pytest.mark.parametrize("change", [{"tenant": "somebody-else"}, {"cell": "another"}, {"managed-by": "hand"}], ids=str)
def test_a_tag_changed_by_hand_hides_nobody(bench: Bench, change: dict[str, str]) -> None:
    tenant = bench.tenant()
    administrator = bench.client("administrator", "secretsmanager")
    before = administrator.describe_secret(SecretId=tenant.arn)["Tags"]
    ((tag, value),) = change.items()
    administrator.tag_resource(SecretId=tenant.arn, Tags=[{"Key": tag, "Value": value}])
    found = orphan(asked(bench, tenant.slug), tenant.slug)
    assert found
    assert (found["kind"], len(found["keys"])) == ("SecretMistagged", 1)
    assert f"tag {tag}={value}" in found["reason"]
    administrator.untag_resource(SecretId=tenant.arn, TagKeys=[tag])
    found = orphan(asked(bench, tenant.slug), tenant.slug)
    assert found, "removed, it is found by its name"
    assert f"no tag {tag}" in found["reason"]
    administrator.tag_resource(SecretId=tenant.arn, Tags=before)
    assert asked(bench, tenant.slug)["orphans"] == []


def test_an_archived_project_is_told_and_an_off_boarded_tenant_is_not(bench: Bench) -> None:
    tenant = bench.tenant()
    _archive(bench, tenant.ids["project_id"])
    found = orphan(asked(bench, tenant.slug), tenant.slug)
    assert found
    assert (found["kind"], found["keys"]) == ("ProjectMissing", [])
    assert bench.sweep(tenant.slug)["failed"] == {}, "an archived project has no keys, and that is no failure"
    revoked = bench.invoke(bench.names.sweep_function, {"action": "revoke", "tenant": tenant.slug})
    assert (revoked["revoked"], revoked["failed"]) == ([], []), "so its tenant can be off-boarded"
    bench.client("administrator", "secretsmanager").delete_secret(SecretId=tenant.arn, RecoveryWindowInDays=7)
    assert asked(bench, tenant.slug)["orphans"] == []


def test_projects_cost_a_call_a_hundred_however_many_tenants_there_are(bench: Bench) -> None:
    """Five tenants more, and no call more: only what is amiss is looked at by itself."""
    asked(bench)
    bench.control.clear_calls()
    asked(bench)
    before = [call for call in bench.control.calls() if "/organization/projects" in call.path]
    for _ in range(5):
        bench.tenant()
    bench.control.clear_calls()
    asked(bench)
    after = [call for call in bench.control.calls() if "/organization/projects" in call.path]
    assert len(after) == len(before)
    lists = [call for call in after if call.path.endswith("/organization/projects")]
    assert len(lists) == 1


def test_where_openai_does_not_list_projects_it_is_said_and_tags_are_judged(bench: Bench) -> None:
    tenant = bench.tenant()
    bench.client("administrator", "secretsmanager").tag_resource(
        SecretId=tenant.arn, Tags=[{"Key": "tenant", "Value": "hidden"}]
    )
    bench.control.fault("500", method="GET", path="organization/projects$", count=None)
    try:
        answer = asked(bench, tenant.slug)
    finally:
        bench.control.clear_faults()
    assert "500" in answer["projects_failed"]
    assert orphan(answer, tenant.slug)["kind"] == "SecretMistagged"  # type: ignore[index]


def _await_removal(bench: Bench, arn: str) -> None:
    """Past its date a secret goes in the background, at AWS as here."""
    end = time.monotonic() + 60
    while any(secret["ARN"] == arn for secret in bench.secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"]):
        assert time.monotonic() < end, "the secret is still listed"
        time.sleep(0.1)


def _archive(bench: Bench, project_id: str) -> None:
    admin = bench.control.create_admin_key("temporary", expires_in_seconds=3600)
    with openai.OpenAI(admin_api_key=admin, base_url=bench.cell.openai_url, max_retries=0) as client:
        client.admin.organization.projects.archive(project_id)
