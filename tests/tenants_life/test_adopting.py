"""A project and a secret that somebody made by hand come under a stack, and no key is made for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import openai
import pytest

from myflux_keys.names import TenantNames
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


@pytest.fixture
def by_hand(life: Life) -> Callable[[str, bool], ByHand]:
    def make(slug: str, tagged: bool) -> ByHand:
        names = life.tenant(slug)
        with openai.OpenAI(admin_api_key=life.cell.openai.create_admin_key(), base_url=life.cell.openai_url) as client:
            projects = client.admin.organization.projects
            project = projects.create(name=names.project).id
            account = projects.service_accounts.create(
                project, name="myflux-runtime", extra_body={"create_service_account_only": True}
            ).id
            projects.service_accounts.update(account, project_id=project, role="member")
            key = projects.service_accounts.api_keys.create(
                account, project_id=project, name="by hand", expires_in_seconds=60 * 86_400
            )
        payload = {
            "schema": 1, "tenant": slug, "api_key": key.value, "key_id": key.id, "project_id": project,
            "service_account_id": account, "organization_id": "org-local", "base_url": life.cell.openai_url,
            "models": [MODEL], "minted_at": "2026-11-01T00:00:00Z", "expires_at": "2099-01-01T00:00:00Z",
        }  # fmt: skip
        secrets = life.cell.client("administrator", "secretsmanager")
        tags = [{"Key": name, "Value": value} for name, value in names.tags.items()] if tagged else []
        arn = secrets.create_secret(Name=names.secret, SecretString=json.dumps(payload), Tags=tags)["ARN"]
        secrets.close()
        return ByHand(names, arn, key.id, payload)

    return make


def _schedule(life: Life, slug: str) -> str:
    return life.secret(slug)["RotationRules"]["ScheduleExpression"]


def test_the_key_stays_and_its_readers_are_served_and_the_next_one_comes_in_its_slot(
    life: Life, by_hand: Callable[[str, bool], ByHand]
) -> None:
    slug = "adopted"
    life.told("new", slug, "--from", "acme", "--name", "Adopted")
    found = by_hand(slug, True)
    stages = life.secret(slug)["VersionIdsToStages"]
    with life.served(slug) as got:
        planned = life.told("adopt", slug, "--dry-run")
        assert planned["notices"] == [], "the value was looked at, and is this tenant's"
        assert not life.secret(slug).get("RotationEnabled"), "a dry run changes nothing"

        done = life.told("adopt", slug, "--yes")
        assert done["key_id"] == found.key_id
        assert life.secret(slug)["VersionIdsToStages"] == stages, "no version was made"
        assert life.live_keys(slug) == [found.key_id], "and no key"
        assert _schedule(life, slug) == slots.cron(slug, "local", 24 * 30)
        assert life.archived(slug) == [False], "the project was taken over, not made again"
    assert set(got) == {found.key_id}

    assert life.told("adopt", slug, "--yes")["changed"] == 0, "the same command finds its work done, and no drift"
    assert life.secret(slug)["VersionIdsToStages"] == stages

    secrets = life.cell.client("deployer", "secretsmanager")
    secrets.rotate_secret(SecretId=found.arn)
    secrets.close()
    wait_until(lambda: len(life.live_keys(slug)) == 2, "the next key")
    life.settled(slug)
    assert life.key_id(slug) != found.key_id
    life.told("sweep", slug)
    ends = {key.id: key.expires_at for key in life.cell.openai.live_keys(found.payload["project_id"])}
    left = (ends[found.key_id] or 0) - life.cell.openai.state()["now"]
    assert left <= 24 * 3600, "the adopted key gets the overlap, as any other"


def test_a_value_that_is_no_payload_is_refused_unseen_and_a_half_done_import_makes_no_key(
    life: Life, by_hand: Callable[[str, bool], ByHand]
) -> None:
    slug = "foundling"
    assert "no tenant" in life.refused("adopt", slug, "--yes")
    life.told("new", slug, "--from", "acme", "--name", "Foundling")
    assert "there is no secret" in life.refused("adopt", slug, "--yes")
    found = by_hand(slug, False)
    secrets = life.cell.client("administrator", "secretsmanager")
    secrets.put_secret_value(SecretId=found.arn, SecretString=json.dumps({"key": found.payload["api_key"]}))
    told = life.refused("adopt", slug, "--yes")
    assert "not of schema 1" in told
    assert "Way out" in told
    assert found.payload["api_key"] not in told
    assert not life.secret(slug).get("RotationEnabled")
    assert f"{slug}.local" not in life.stacks(), "nothing was imported"
    secrets.put_secret_value(SecretId=found.arn, SecretString=json.dumps(found.payload))
    secrets.close()

    life.struck("PutResourcePolicy", "adopt", slug, "--yes")
    assert life.live_keys(slug) == [found.key_id]
    life.told("adopt", slug, "--yes")
    assert life.live_keys(slug) == [found.key_id], "a rotation that was made, not imported, would have made a key"
    assert life.key_id(slug) == found.key_id
