"""A project and a secret that somebody made by hand come under a stack, and no key is made for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import openai
import pytest

from myflux_keys.aws_names import TenantNames
from tenancy import slots
from tests.tenants_life.conftest import MODEL, Life, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.cell]


@dataclass(frozen=True)
class ByHand:
    """What an administrator made before this product came."""

    names: TenantNames
    arn: str
    key_id: str
    payload: dict[str, Any]


def by_hand(life: Life, slug: str, account_name: str = "myflux-runtime") -> ByHand:
    """The secret has no tags and no lock, and its value is not yet a payload."""
    names = life.tenant(slug)
    with openai.OpenAI(admin_api_key=life.cell.openai.create_admin_key(), base_url=life.cell.openai_url) as client:
        projects = client.admin.organization.projects
        project = projects.create(name=names.project).id
        account = projects.service_accounts.create(
            project, name=account_name, extra_body={"create_service_account_only": True}
        ).id
        projects.service_accounts.update(account, project_id=project, role="member")
        key = projects.service_accounts.api_keys.create(
            account, project_id=project, name="by hand", expires_in_seconds=60 * 86_400
        )
    payload = {
        "schema": 1,
        "tenant": slug,
        "api_key": key.value,
        "key_id": key.id,
        "project_id": project,
        "service_account_id": account,
        "organization_id": "org-local",
        "base_url": life.cell.openai_url,
        "models": [MODEL],
        "minted_at": "2026-11-01T00:00:00Z",
        "expires_at": "2099-01-01T00:00:00Z",
    }
    secrets = life.cell.client("administrator", "secretsmanager")
    arn = secrets.create_secret(Name=names.secret, SecretString=json.dumps({"key": key.value}))["ARN"]
    secrets.close()
    return ByHand(names, arn, key.id, payload)


def test_a_key_is_taken_over_unseen_its_readers_are_served_and_the_next_one_comes_in_its_slot(life: Life) -> None:
    slug = "adopted"
    life.told("new", slug, "--from", "acme", "--name", "Adopted")
    assert "there is no secret" in life.refused("adopt", slug, "--yes")
    found = by_hand(life, slug)

    assert "not of schema 1" in life.refused("adopt", slug, "--dry-run"), "a dry run looks at the value"
    refused = life.refused("adopt", slug, "--yes")
    assert "not of schema 1" in refused
    assert not life.secret(slug).get("Tags"), "it was looked at before it got tags, and stays as it was"
    assert "Way out" in refused
    assert found.payload["api_key"] not in refused
    assert not life.secret(slug).get("RotationEnabled")
    assert f"{slug}.local" not in life.stacks(), "nothing was imported"
    secrets = life.cell.client("administrator", "secretsmanager")
    secrets.put_secret_value(SecretId=found.arn, SecretString=json.dumps(found.payload))
    planned = life.told("adopt", slug, "--dry-run")
    assert planned["notices"] == [], "the value was looked at, and is this tenant's"
    assert not life.secret(slug).get("Tags"), "a dry run changes nothing"
    assert not life.secret(slug).get("RotationEnabled")
    # So that readers are served from now on, which the adoption must not interrupt.
    secrets.tag_resource(
        SecretId=found.arn, Tags=[{"Key": tag, "Value": value} for tag, value in found.names.tags.items()]
    )
    secrets.close()

    stages = life.secret(slug)["VersionIdsToStages"]
    with life.served(slug) as got:
        life.struck("PutResourcePolicy", "adopt", slug, "--yes")
        done = life.told("adopt", slug, "--yes")
        assert done["key_id"] == found.key_id
        assert life.secret(slug)["VersionIdsToStages"] == stages, "no version was made"
        assert life.live_keys(slug) == [found.key_id], "a rotation that was made, not imported, would have made a key"
        assert life.secret(slug)["RotationRules"]["ScheduleExpression"] == slots.cron(slug, "local", 24 * 30)
        assert life.archived(slug) == [False], "the project was taken over, not made again"
        assert life.told("adopt", slug, "--yes")["changed"] == 0, "the same command finds its work done, and no drift"
    assert set(got) == {found.key_id}
    assert life.secret(slug)["VersionIdsToStages"] == stages

    _its_key_ends_as_any_other(life, slug, found)


def _its_key_ends_as_any_other(life: Life, slug: str, found: ByHand) -> None:
    secrets = life.cell.client("deployer", "secretsmanager")
    secrets.rotate_secret(SecretId=found.arn)
    secrets.close()
    wait_until(lambda: len(life.live_keys(slug)) == 2, "the next key")
    life.settled(slug)
    assert life.key_id(slug) != found.key_id
    life.told("sweep", slug)
    ends = {key.id: key.expires_at for key in life.cell.openai.live_keys(found.payload["project_id"])}
    left = (ends[found.key_id] or 0) - life.cell.openai.now()
    assert left <= 24 * 3600, "the adopted key gets the overlap"


def test_a_revocation_ends_the_adopted_key_of_an_account_not_made_here(life: Life) -> None:
    slug = "adopted-then-leaked"
    life.told("new", slug, "--from", "acme", "--name", slug)
    found = by_hand(life, slug, "legacy-app")
    secrets = life.cell.client("administrator", "secretsmanager")
    secrets.put_secret_value(SecretId=found.arn, SecretString=json.dumps(found.payload))
    secrets.close()
    adopted = life.told("adopt", slug, "--yes")
    assert any("legacy-app" in notice and "revoke" in notice for notice in adopted["notices"])

    swept = life.told("sweep", slug)
    (entry,) = [entry for cell in swept["cells"] for entry in cell["plan"] if entry["key_id"] == found.key_id]
    assert entry["found"] == "kept", "the live version's key is ours, whoever made it"

    revoked = life.told("revoke", slug, "--yes")
    assert revoked["beyond"] == []
    assert life.live_keys(slug) == [revoked["key_id"]]
    assert not answers(life, found.payload["api_key"]), "it has leaked, and it is what the revocation was for"


def answers(life: Life, value: str) -> bool:
    with openai.OpenAI(api_key=value, base_url=life.cell.openai_url, max_retries=0) as client:
        try:
            client.models.list()
        except openai.AuthenticationError:
            return False
    return True
