"""A customer who keeps their OpenAI account and gives an admin key of it: from the place to the end, on a real cell."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from myflux_keys import KeyReader
from tests.commands import client
from tests.program.rig import Rig, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.cell]

SLUG = "keepers"
ORGANIZATION = "org-keepers"


def command(rig: Rig, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return client.run(arguments, rig.environment(), stdin=stdin)


def readers_of(rig: Rig, secret: str) -> set[str]:
    """The roles that were let read it."""
    pages = rig.client("administrator", "cloudtrail").get_paginator("lookup_events")
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "GetSecretValue"}]
    found = [
        json.loads(e["CloudTrailEvent"]) for page in pages.paginate(LookupAttributes=by_name) for e in page["Events"]
    ]
    return {
        event["userIdentity"]["arn"].split("/")[1]
        for event in found
        if secret in json.dumps(event["requestParameters"]) and "errorCode" not in event
    }


def test_a_customers_admin_key_mints_in_their_organization_until_they_leave(
    platform: Rig, reader: Callable[..., KeyReader]
) -> None:
    rig, control = platform, platform.cell.openai
    names = rig.add_tenant(SLUG, like="initech")
    file = rig.tenant_file(SLUG)
    file.write_text(f"{file.read_text(encoding='utf-8')}organization_id: {ORGANIZATION}\n", encoding="utf-8")
    rig.up(names.stack)
    control.open_customer(ORGANIZATION)
    assert rig.projects(SLUG, ORGANIZATION) == [], "nothing can be made before they gave the key"

    rig.edit(SLUG, ORGANIZATION, "org-local")
    admin_key = control.create_admin_key("the customer's", expires_in_seconds=20 * 86_400, organization_id=ORGANIZATION)
    refused = command(rig, "admin-key", "set", "--tenant", SLUG, stdin=admin_key + "\n")
    assert "does not belong to organization org-local" in refused.stderr
    rig.edit(SLUG, "org-local", ORGANIZATION)
    stored = command(rig, "admin-key", "set", "--tenant", SLUG, "--json", stdin=admin_key + "\n")
    assert stored.returncode == 0, stored.stderr
    assert json.loads(stored.stdout)["secret"] == names.admin_secret
    assert "expires in 20 days: ask the customer" in stored.stderr
    for user in ("deployer", "ci", "runtime", "stranger", "administrator"):
        with pytest.raises(ClientError, match="AccessDenied"):
            rig.client(user, "secretsmanager").get_secret_value(SecretId=names.admin_secret)

    added = "rotation: {every_days: 31, overlap_hours: 24}\n"
    file.write_text(file.read_text(encoding="utf-8") + added, encoding="utf-8")
    rig.up(names.stack)
    rig.await_first_key(SLUG)
    key = reader().get(SLUG)
    assert (key.organization_id, key.source) == (ORGANIZATION, "managed"), "minted as ours are"
    rig.rotate(SLUG)
    assert reader().get(SLUG).key_id != key.key_id
    cell = rig.names
    assert readers_of(rig, names.admin_secret) == {cell.rotation_function, cell.provisioner_function}
    assert set(rig.up(names.stack).summary) == {"same"}, "a second up changes nothing"

    swept = command(rig, "sweep", SLUG, "--json")
    (told,) = json.loads(swept.stdout)["cells"]
    assert {entry["found"] for entry in told["plan"]} == {"kept"}, swept.stderr
    assert 19 < told["customers_admin_key_days_left"][SLUG] <= 20
    refused = command(rig, "key", "set", SLUG, stdin="sk-" + "proj-" + "x" * 40)
    assert "only the rotation function makes" in refused.stderr

    rig.destroy(names.stack)
    wait_until(lambda: not rig.live_keys(SLUG, ORGANIZATION), "their keys to end")
    assert [project.archived for project in rig.projects(SLUG, ORGANIZATION)] == [True]
    assert rig.projects(SLUG) == [], "nothing was ever made in the cell's own organization"
    described = rig.client("deployer", "secretsmanager").describe_secret(SecretId=names.admin_secret)
    assert described["DeletedDate"], "the admin key goes with the tenant"
