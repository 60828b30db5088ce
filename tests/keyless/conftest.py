"""A local cell whose OpenAI trusts its AWS account: two tenants without a key, told apart by a session tag."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.config import Config
from openai import OpenAI

from local.aws.federation.settings import Settings, choose
from local.cell import LocalCell
from myflux_keys.tenant_sessions import CALL_LIMITS
from tests.keyless.deployed import Deployed, deploy
from tests.keyless.world import AUDIENCE, GET, OURS, OWN, Keyless, Tenant, allow


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyless]:
    cell = LocalCell.start(tmp_path_factory.mktemp("keyless"))
    try:
        cell.openai.settings(admin_requests_per_minute=0)
        issuer = cell.client("administrator", "iam").enable_outbound_web_identity_federation()["IssuerIdentifier"]
        with OpenAI(admin_api_key=cell.openai.create_admin_key("tests"), base_url=cell.openai_url) as admin:
            provider = admin.admin.organization.workload_identity_providers.create(
                type="oidc",
                name="aws",
                issuer=issuer,
                audience=AUDIENCE,
                attribute_transformations=[
                    {
                        "attribute": "openai.tenant",
                        "expression": f'assertion["{OWN}"]["principal_tags"]["tenant"]',
                    },
                    {
                        "attribute": "openai.asked_tenant",
                        "expression": f'assertion["{OWN}"]["request_tags"]["tenant"]',
                    },
                ],
            )
            found = Keyless(cell, admin, provider.id, "", {})
            found.role_arn = found.role("keyless-runtime", allow(GET, Condition=OURS))
            for slug in ("acme", "globex"):
                found.tenants[slug] = _tenant(found, slug)
            yield found
    finally:
        cell.stop()


def _tenant(world: Keyless, slug: str) -> Tenant:
    organization = world.admin.admin.organization
    project = organization.projects.create(name=slug)
    account = organization.projects.service_accounts.create(
        project.id, name="runtime", create_service_account_only=True
    )
    organization.projects.service_accounts.update(account.id, project_id=project.id, role="member")
    organization.workload_identity_providers.federation_rules.create(
        world.provider_id,
        attribute_matchers={"sub": world.role_arn, "openai.tenant": slug},
        project_id=project.id,
        service_account_id=account.id,
    )
    return Tenant(project.id, account.id)


@pytest.fixture
def keyless(world: Keyless, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyless]:
    """The process finds AWS in the cell, as by its environment, and has no credentials of its own."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_STS_REGIONAL_ENDPOINTS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.cell.aws_url)
    world.cell.openai.clear_calls()
    yield world
    world.cell.openai.clear_faults()
    choose(world.cell.home, Settings())


@pytest.fixture(scope="session")
def deployment(world: Keyless) -> Iterator[Deployed]:
    made = deploy(world)
    yield made
    made.s3.close()
    made.secrets.close()


@pytest.fixture
def deployed(deployment: Deployed, keyless: Keyless, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """Readers find AWS as in `keyless`. A read waits as long as it takes, and makes one attempt a call: botocore's
    pauses between attempts are real seconds."""
    once = CALL_LIMITS.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
    monkeypatch.setattr("myflux_keys.tenant_sessions.CALL_LIMITS", once)
    monkeypatch.setattr("myflux_keys.cached_key.PATIENCE", 600.0)
    deployment.calls.clear()
    deployment.clock.ahead = 0.0
    with deployment.open:
        yield deployment
