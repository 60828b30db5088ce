"""A tenant from a key to none and back, by the engine, in a cell whose file enables federation for as long.

At every step the runtime has a way to call OpenAI, and both exist while readers change over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import boto3
import openai
import pytest
from botocore.exceptions import ClientError

from myflux_keys import FederatedTenantError, KeyReader, aws_web_identity_token_provider
from myflux_keys.identity import TenantIdentity, exchange_url
from program import ADOPT
from tests.program.rig import CELL, Rig, Run

pytestmark = [pytest.mark.engine, pytest.mark.cell]

SLUG = "pier"
STACK = f"{SLUG}.{CELL}"
INVOCATION, IDENTITY = f"{SLUG}-openai-invocation", f"{SLUG}-identity"
KEY, DECLARATION = f"{SLUG}-key", f"{SLUG}-declaration"
SECRET, POLICY, ROTATION = f"{SLUG}-key-secret", f"{SLUG}-key-policy", f"{SLUG}-rotation"
TO_FEDERATED = "credential: federated\nswitching_from: key\n"
FEDERATED = "credential: federated\n"
TO_KEY = "credential: key\nswitching_from: federated\n"


@pytest.fixture(scope="module")
def federated(platform: Rig) -> Iterator[Rig]:
    """The shared platform, with federation during these tests."""
    file = platform.fleet / "cells" / f"{CELL}.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before + "federation: {enabled: true}\n", encoding="utf-8")
    platform.up(CELL)
    yield platform
    file.write_text(before, encoding="utf-8")
    platform.up(CELL)
    with pytest.raises(ClientError, match="FeatureDisabled"):
        platform.client("deployer", "iam").get_outbound_web_identity_federation_info()


@dataclass
class Tenant:
    rig: Rig
    monkeypatch: pytest.MonkeyPatch

    def says(self, credential: str, **environment: str) -> Run:
        """The file with these lines is previewed and brought about; a second `up` has nothing to do."""
        file = self.rig.tenant_file(SLUG)
        plain = file.read_text(encoding="utf-8").partition("# how\n")[0]
        file.write_text(f"{plain}# how\n{credential}", encoding="utf-8")
        with_more = self.rig.environment() | environment
        self.rig.preview(STACK, environment=with_more)
        return self.rig.up(STACK, environment=with_more)

    def order(self, run: Run, *names: str) -> None:
        """The engine began these in this order; what depends on another begins once that is done."""
        places = [[step.name for step in run.steps].index(name) for name in names]
        assert places == sorted(places), names

    def session(self) -> boto3.Session:
        held = self.rig.client("runtime", "sts").assume_role(
            RoleArn=self.rig.names.runtime_role_arn, RoleSessionName="pier", Tags=[{"Key": "tenant", "Value": SLUG}]
        )["Credentials"]
        region = self.rig.cell.region
        return boto3.Session(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"], region)

    def identity(self) -> TenantIdentity:
        with closing(self.session().client("s3", endpoint_url=self.rig.cell.aws_url)) as s3:
            held = s3.get_object(Bucket=self.rig.names.health_bucket, Key=self.rig.tenant(SLUG).identity)
            return TenantIdentity.from_json(held["Body"].read().decode())

    def calls(self, identity: TenantIdentity) -> str:
        """A model call by a new token: the model that answered."""
        session = self.session()
        self.monkeypatch.setenv("AWS_ENDPOINT_URL", self.rig.cell.aws_url)
        client = openai.OpenAI(
            workload_identity={
                "identity_provider_id": identity.provider_id,
                "service_account_id": identity.service_account_id,
                "provider": aws_web_identity_token_provider(self.rig.names.identity_audience, session=session),
            },
            base_url=identity.base_url,
            max_retries=0,
        )
        assert client._workload_identity_auth is not None
        # The SDK has no public option for it.
        client._workload_identity_auth.token_exchange_url = exchange_url(identity.base_url)
        with client:
            return client.responses.create(model="gpt-5.4-mini", input="Hello").model

    def invoked_with(self) -> dict[str, Any]:
        found = next(one for one in self.rig.resources(STACK) if one["urn"].endswith(f"::{INVOCATION}"))
        return json.loads(found["inputs"]["input"])


@pytest.fixture
def tenant(federated: Rig, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    federated.add_tenant(SLUG)
    return Tenant(federated, monkeypatch)


def test_from_a_key_to_none_and_back(tenant: Tenant, reader: Callable[..., KeyReader]) -> None:
    rig = tenant.rig
    tenant.says("")
    rig.await_first_key(SLUG)
    assert "federation" not in tenant.invoked_with(), "a tenant with a key has the input that it always had"

    switching = tenant.says(TO_FEDERATED)
    assert switching.changed == {INVOCATION: "update", DECLARATION: "update", IDENTITY: "create", POLICY: "update"}
    tenant.order(switching, INVOCATION, IDENTITY, POLICY)
    identity = tenant.identity()
    assert tenant.calls(identity) == "gpt-5.4-mini"
    with pytest.raises(FederatedTenantError):
        reader().get(SLUG)
    assert rig.live_keys(SLUG), "readers that still have the key call with it"

    done = tenant.says(FEDERATED)
    gone = dict.fromkeys((KEY, SECRET, ROTATION, POLICY), "delete")
    assert done.changed == {INVOCATION: "update", DECLARATION: "update"} | gone
    tenant.order(done, INVOCATION, ROTATION, SECRET)
    assert rig.live_keys(SLUG) == []
    assert rig.describe(SLUG)["DeletedDate"], "the empty secret is in its deletion window"
    assert rig.trail(SLUG)[-1] == "DeleteSecret", "its policy was not taken off before"
    assert (tenant.invoked_with()["keys"], tenant.identity()) == (False, identity)
    assert tenant.calls(identity) == "gpt-5.4-mini"
    assert rig.up(STACK).changed == {}
    assert rig.refresh(STACK).summary.keys() <= {"same"}

    # Back, the secret holds the dead key until another is minted: no reader may be let in before.
    arn, dead = rig.describe(SLUG)["ARN"], rig.last_rotated(SLUG)
    rig.client("deployer", "secretsmanager").restore_secret(SecretId=arn)
    back = tenant.says(TO_FEDERATED, **{ADOPT: arn})
    made = {KEY: "create", SECRET: "import", POLICY: "create", ROTATION: "create"}
    assert back.changed == {INVOCATION: "update", DECLARATION: "update"} | made
    tenant.order(back, INVOCATION, SECRET, POLICY, ROTATION)
    rig.await_rotation(SLUG, dead)
    with pytest.raises(FederatedTenantError):
        reader().get(SLUG)
    assert tenant.calls(identity) == "gpt-5.4-mini"
    assert rig.up(STACK).changed == {SECRET: "update"}, "the next update sets what an import may not"

    opened = tenant.says(TO_KEY)
    assert opened.changed == {DECLARATION: "update", POLICY: "update", IDENTITY: "delete"}
    tenant.order(opened, POLICY, IDENTITY)
    assert [reader().get(SLUG).key_id] == rig.live_keys(SLUG)
    with pytest.raises(ClientError, match="AccessDenied"):
        tenant.identity()
    assert tenant.calls(identity) == "gpt-5.4-mini", "by a reader that still has the identity"

    ended = tenant.says("")
    assert ended.changed == {INVOCATION: "update", DECLARATION: "update"}
    with pytest.raises(openai.OAuthError):
        tenant.calls(identity)
    assert rig.live_keys(SLUG)
