"""Tenants without a key in the health function: asked with tokens of AWS's, watched like all others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import openai
import pytest

from functions.health.facts import Listing
from functions.health.look import look
from functions.shared.federated_token import TokenRefused
from functions.shared.openai_http import OpenAIError
from myflux_keys import names, role_names
from myflux_keys.declaration import Budget
from myflux_keys.identity import IDENTITIES, TenantIdentity, audience
from tests.health.given import declaration, judged, kinds
from tests.health.test_health_usage import ask as usage
from tests.health.world import MODEL, Tenant, World

pytestmark = pytest.mark.cell


class Keyless:
    """The world's cell with federation: its runtime role, one provider, and tenants with a rule each."""

    def __init__(self, world: World) -> None:
        self.world = world
        cell = world.cell
        self.iam = cell.client("administrator", "iam")
        who = world.aws.sts.get_caller_identity()["Arn"]
        self.role = role_names.runtime_role(world.slug)
        trust = _allow(["sts:AssumeRole", "sts:TagSession"], Principal={"AWS": who})
        self.arn = self.iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        self.permit(True)
        issuer = self.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
        with world.admin() as admin:
            self.provider = admin.admin.organization.workload_identity_providers.create(
                type="oidc",
                name=f"myflux-{world.slug}-1",
                issuer=issuer,
                audience=audience(world.slug),
                attribute_transformations=[
                    {
                        "attribute": "openai.tenant",
                        "expression": 'assertion["https://sts.amazonaws.com/"]["principal_tags"]["tenant"]',
                    }
                ],
            ).id

    def close(self) -> None:
        self.iam.disable_outbound_web_identity_federation()
        self.iam.close()

    def permit(self, permitted: bool) -> None:
        if permitted:
            policy = _allow(["sts:GetWebIdentityToken"], Resource="*")
            self.iam.put_role_policy(RoleName=self.role, PolicyName="tokens", PolicyDocument=policy)
        else:
            self.iam.delete_role_policy(RoleName=self.role, PolicyName="tokens")

    def tenant(self, slug: str = "acme", *, keep_secret: bool = False, **declaration: Any) -> Tenant:
        """Of a managed one: a rule and an identity, and unless `keep_secret` neither secret nor key."""
        world = self.world
        made = world.tenant(slug, **declaration)
        with world.admin() as admin:
            accounts = admin.admin.organization.projects.service_accounts
            [account] = accounts.list(project_id=made.project_id).data
            admin.admin.organization.workload_identity_providers.federation_rules.create(
                self.provider,
                name=names.project_name(world.slug, slug),
                attribute_matchers={"sub": self.arn, "openai.tenant": slug},
                project_id=made.project_id,
                service_account_id=account.id,
            )
            if not keep_secret:
                admin.admin.organization.projects.api_keys.delete(made.key_id, project_id=made.project_id)
                secret = names.secret_name(world.slug, slug)
                world.aws.secrets.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
                made.declare(credential="federated", **declaration)
        ids = (self.provider, account.id, made.project_id, "org-local", world.url)
        world.put(f"{IDENTITIES}{slug}.json", TenantIdentity(slug, world.slug, *ids, (MODEL,)).to_json())
        return made

    def token(self, slug: str) -> str:
        services = self.world.services()
        identity = services.store.identity(self.world.slug, slug)
        assert identity is not None
        return services.tokens.token(identity, services.deadline).reveal()

    def forget(self, slug: str) -> None:
        self.world.aws.s3.delete_object(Bucket=self.world.bucket, Key=f"{IDENTITIES}{slug}.json")


def _allow(actions: list[str], **elements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, **elements}]})


@pytest.fixture
def keyless(world: World) -> Iterator[Keyless]:
    made = Keyless(world)
    yield made
    made.close()


def seen(keyless: Keyless, slug: str = "acme") -> dict[str, Any]:
    return look(keyless.world.services(), {"action": "look", "tenant": slug})


def test_a_tenant_without_a_key_that_is_well_is_silent_and_watched_like_others(keyless: Keyless) -> None:
    world = keyless.world
    tenant, other = keyless.tenant(budget=Budget(200, hard=True)), world.tenant("globex")
    world.control.settings(costs_delay_seconds=0, costs_early_percent=100)
    with openai.OpenAI(api_key=keyless.token("acme"), base_url=world.url, max_retries=0) as client:
        client.responses.create(model=MODEL, input="word " * 4_000)
    other.call()
    answer = world.cycle()
    assert (answer["watched"], answer["failed"], answer["next"]) == (2, {}, None)
    assert world.messages() == []
    state = world.state().tenants["acme"]
    assert (state.requests, state.key_version) == (1, None)
    assert state.limits_at > 0, "its limits take their turn"
    assert state.seen_at is not None
    assert world.spent(tenant) > Decimal(0), "its project is known by its identity"
    [of_cell] = usage(world, since=world.today().isoformat())["organizations"]
    assert of_cell["projects"][tenant.project_id] == "acme"


def test_a_look_tells_what_a_real_call_with_a_token_answered(keyless: Keyless) -> None:
    keyless.tenant(budget=Budget(200, hard=True))
    told = seen(keyless)
    assert (told["asked_with"], told["secret"], told["key"]) == ("token", "none", None)
    assert told["call"] == {"cause": "ok", "said": None, "model": MODEL}
    assert (told["list"]["cause"], told["findings"]) == ("ok", [])
    assert told["limits"]["spend_limit_cents"] == 20_000


def test_while_a_switch_is_under_way_the_token_is_proven_and_the_key_is_not_used(keyless: Keyless) -> None:
    tenant = keyless.tenant(keep_secret=True)
    told = seen(keyless)
    assert (told["asked_with"], told["secret"], told["call"]["cause"]) == ("token", "there", "ok")
    assert told["key"]["expires_at"], "its key's life is still watched"
    assert told["findings"] == []
    with keyless.world.admin() as admin:
        key = admin.admin.organization.projects.api_keys.retrieve(tenant.key_id, project_id=tenant.project_id)
    assert key.last_used_at is None, "or its use would never end"


def test_a_rule_that_is_gone_is_told_as_a_refused_token_and_its_return_as_the_end(keyless: Keyless) -> None:
    keyless.tenant()
    world = keyless.world
    assert world.cycle()["failed"] == {}
    with world.admin() as admin:
        rules = admin.admin.organization.workload_identity_providers.federation_rules
        [rule] = rules.list(keyless.provider).data
        rules.update(rule.id, workload_identity_provider_id=keyless.provider, enabled=False)
        world.cycle()
        [told] = world.bodies()
        assert "AWS or OpenAI refuses its token" in told
        assert "myflux-keys up acme --refresh" in told
        rules.update(rule.id, workload_identity_provider_id=keyless.provider, enabled=True)
    world.cycle()
    assert world.messages() == ["Over: tenant acme (Acme Travel)"]


def test_aws_refusing_the_token_is_a_trouble_too_and_no_error_quotes_a_token(keyless: Keyless) -> None:
    keyless.tenant()
    keyless.permit(False)
    told = seen(keyless)
    assert told["list"] == {"cause": "token_refused", "said": "403 AccessDenied", "models": []}
    assert [one["kind"] for one in told["findings"]] == ["token_refused"]
    keyless.permit(True)
    services = keyless.world.services()
    ids = ("idp_unknown", "user-none", "proj_none", "org-local", keyless.world.url)
    unknown = TenantIdentity("acme", keyless.world.slug, *ids, (MODEL,))
    with pytest.raises(TokenRefused, match="invalid_grant") as refusal:
        services.tokens.token(unknown, services.deadline)
    assert "ey" + "J" not in repr(refusal.value.__dict__)
    assert refusal.value.__cause__ is None


def test_an_identity_of_another_tenant_gets_no_token_with_ones_own_tag(keyless: Keyless) -> None:
    keyless.tenant("acme")
    keyless.tenant("globex")
    services = keyless.world.services()
    theirs = services.store.identity(keyless.world.slug, "globex")
    assert theirs is not None
    ids = (theirs.provider_id, theirs.service_account_id, theirs.project_id, theirs.organization_id, theirs.base_url)
    crossed = TenantIdentity("acme", keyless.world.slug, *ids, (MODEL,))
    with pytest.raises(TokenRefused):
        services.tokens.token(crossed, services.deadline)


def test_a_missing_identity_and_a_secret_that_was_left_are_told(keyless: Keyless) -> None:
    world = keyless.world
    keyless.tenant("acme")
    left = keyless.tenant("globex", keep_secret=True)
    left.declare(credential="federated")
    keyless.forget("acme")
    for _ in range(2):
        world.cycle()
    told = "\n".join(world.bodies())
    assert "no key, and no identity to get tokens with" in told
    assert "its secret is still there" in told


def test_a_disabled_tenant_without_a_key_has_nothing_and_that_is_right(keyless: Keyless) -> None:
    tenant = keyless.tenant()
    tenant.declare(enabled=False)
    keyless.forget("acme")
    keyless.world.cycle()
    assert keyless.world.messages() == []
    assert seen(keyless)["asked_with"] is None


def test_an_identity_that_cannot_be_read_is_named_and_nothing_is_decided_about_its_tenant(keyless: Keyless) -> None:
    keyless.tenant()
    keyless.world.put(f"{IDENTITIES}acme.json", "{")
    assert set(keyless.world.cycle()["failed"]) == {f"{IDENTITIES}acme.json"}
    assert keyless.world.messages() == []
    assert "not JSON" in seen(keyless)["declaration_problem"]


def test_openai_not_answering_an_exchange_says_nothing_about_the_tenant() -> None:
    silent = OpenAIError("POST /oauth/token", "no connection", maybe_applied=False)
    found = judged(declaration=declaration(credential="federated"), secret=None, identity=True, listing=Listing(silent))
    assert kinds(found) == []
    assert "token_refused" in found.unknown
