"""The deployed sweep and tenants without a key: none of theirs is an orphan, and no key of theirs lives."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, ClassVar

import openai
import pytest

from functions.sweep.decide_keys import GRACE_SECONDS
from functions.sweep.declared import SWITCH_SECONDS
from functions.sweep.orphans import SETTLING_SECONDS
from myflux_keys import names
from myflux_keys.identity import IDENTITIES
from tests.functions.federated import FEDERATED, TRUST
from tests.functions.world import provisioner_input
from tests.sweep.conftest import CELL, Bench
from tests.sweep.test_orphans_in_cell import asked, orphan

pytestmark = pytest.mark.cell
_NUMBERS = itertools.count(1)
DAY = 86_400


class Keyless:
    """A tenant that the provisioner made with a rule, declared and with an identity. `made`: of the test that runs."""

    made: ClassVar[list[Keyless]] = []

    def __init__(self, bench: Bench, *, enabled: bool = True) -> None:
        self.bench, self.slug = bench, f"keyless-{next(_NUMBERS)}"
        self.made.append(self)
        self.input = provisioner_input(self.slug, keys=False, **(FEDERATED if enabled else {}))
        self.ids = bench.invoke(
            bench.names.provisioner_function, self.input | {"tf": {"action": "create", "prev_input": None}}
        )
        self.put(f"declarations/{self.slug}.json")
        if enabled:
            self.put(f"{IDENTITIES}{self.slug}.json")

    def put(self, key: str) -> None:
        self.bench.s3.put_object(Bucket=self.bench.names.health_bucket, Key=key, Body=b"{}")

    def forget(self) -> None:
        for key in (f"declarations/{self.slug}.json", f"{IDENTITIES}{self.slug}.json"):
            self.bench.s3.delete_object(Bucket=self.bench.names.health_bucket, Key=key)

    def live(self) -> set[str]:
        return {key.id for key in self.bench.control.live_keys(self.ids["project_id"])}

    def mint(self, account: str | None = None) -> str:
        """A key on its service account, or on another one of this name."""
        with admin(self.bench) as client:
            accounts = client.admin.organization.projects.service_accounts
            made = self.ids["service_account_id"]
            if account is not None:
                made = accounts.create(self.ids["project_id"], name=account, create_service_account_only=True).id
            return accounts.api_keys.create(
                made, project_id=self.ids["project_id"], expires_in_seconds=30 * DAY, name="a key"
            ).id


def admin(bench: Bench) -> openai.OpenAI:
    key = bench.control.create_admin_key("temporary", expires_in_seconds=3600)
    return openai.OpenAI(admin_api_key=key, base_url=bench.cell.openai_url, max_retries=0)


def left(bench: Bench) -> dict[str, str]:
    """By the tenant, or the name of the rule: why FederationLeft is told."""
    return {one["tenant"]: one["reason"] for one in asked(bench)["orphans"] if one["kind"] == "FederationLeft"}


@pytest.fixture(autouse=True)
def without_rules(bench: Bench) -> Iterator[None]:
    yield
    while Keyless.made:
        Keyless.made.pop().forget()
    with admin(bench) as client:
        providers = client.admin.organization.workload_identity_providers
        for provider in providers.list():
            for rule in providers.federation_rules.list(provider.id):
                providers.federation_rules.delete(rule.id, workload_identity_provider_id=provider.id)
            providers.delete(provider.id)


def test_project_account_and_rule_of_a_tenant_without_a_secret_belong_to_it(bench: Bench) -> None:
    tenant, off = Keyless(bench), Keyless(bench, enabled=False)
    bench.cell.advance(SETTLING_SECONDS)
    answer = asked(bench)
    assert (orphan(answer, tenant.slug), orphan(answer, off.slug)) == (None, None), "a disabled one has no identity"
    assert tenant.slug in answer["tenants"], "its keys can be looked at"
    assert left(bench) == {}


def test_a_provider_without_rules_waits_for_the_next_tenant(bench: Bench) -> None:
    """Otherwise `disable` of a cell's only tenant without a key raises an alarm, and so does its switch to a key."""
    with admin(bench) as client:
        providers = client.admin.organization.workload_identity_providers
        fields: Any = {"type": "oidc", "issuer": TRUST["issuer"], "audience": TRUST["audience"]}
        empty = providers.create(name=f"myflux-{CELL}-1", **fields).id
        bench.cell.advance(SETTLING_SECONDS)
        assert left(bench) == {}
        assert Keyless(bench).ids["federation"]["provider_id"] == empty, "it is of use again"


def test_a_rule_of_our_name_is_named_once_its_tenant_is_disabled_or_has_a_key(bench: Bench) -> None:
    """It gives tokens to the tenant's sessions. Not at once: on the way to a key the rule goes after the identity."""
    off, with_key = Keyless(bench), Keyless(bench)
    secret = bench.names.tenant(with_key.slug)
    tags = secret.tags | {names.TAG_PROJECT_ID: with_key.ids["project_id"]}
    listed = [{"Key": name, "Value": value} for name, value in tags.items()]
    bench.secrets.create_secret(Name=secret.secret, Tags=listed)
    bench.cell.advance(SWITCH_SECONDS)
    for tenant in (off, with_key):
        tenant.forget()
        # As its stack does, since its file says something else now.
        tenant.put(f"declarations/{tenant.slug}.json")
    assert left(bench) == {}, "the switch to a key may be under way"
    bench.cell.advance(SWITCH_SECONDS + 60)
    told = left(bench)
    assert set(told) == {off.slug, with_key.slug}
    for tenant in (off, with_key):
        assert tenant.ids["federation"]["rule_id"] in told[tenant.slug]
        assert "is disabled or has a key" in told[tenant.slug]


def test_the_secret_that_a_switch_left_to_go_is_no_orphan_even_with_a_key_that_still_lives(bench: Bench) -> None:
    """It is the sweep of the tenant that names and ends the key."""
    tenant = Keyless(bench)
    secret = bench.names.tenant(tenant.slug)
    tags = secret.tags | {names.TAG_PROJECT_ID: tenant.ids["project_id"]}
    listed = [{"Key": name, "Value": value} for name, value in tags.items()]
    made = bench.secrets.create_secret(Name=secret.secret, Tags=listed)
    bench.client("administrator", "secretsmanager").delete_secret(SecretId=made["ARN"], RecoveryWindowInDays=7)
    tenant.mint()
    bench.cell.advance(GRACE_SECONDS + SETTLING_SECONDS)
    assert orphan(asked(bench), tenant.slug) is None
    assert len(bench.sweep(tenant.slug)["plan"]) == 1


def test_a_live_key_of_its_account_is_named_and_ended_and_a_strangers_only_named(bench: Bench) -> None:
    tenant = Keyless(bench)
    old, strange = tenant.mint(), tenant.mint("somebody's")
    bench.cell.advance(GRACE_SECONDS + 60)
    young = tenant.mint()
    looked = bench.sweep(tenant.slug, dry_run=True)
    assert tenant.live() == {old, young, strange}, "a dry run ends nothing"
    assert bench.of_key(looked, old)["action"] == "revoke"  # type: ignore[index]
    answer = bench.sweep(tenant.slug)
    found = {key: bench.of_key(answer, key) for key in (old, young, strange)}
    assert {key: (one["found"], one["outcome"]) for key, one in found.items() if one} == {
        old: ("orphan", "deleted"),
        young: ("kept", None),
        strange: ("foreign", None),
    }
    assert tenant.live() == {young, strange}, "a switch to a key may be about to store a young one"
    assert (answer["done"], answer["failed"], answer["next"]) == (True, {}, None)


def test_the_schedule_looks_at_every_tenant_without_a_key_within_a_day(bench: Bench) -> None:
    tenant = Keyless(bench)
    key = tenant.mint()
    bench.cell.advance(GRACE_SECONDS)
    for _ in range(48):
        bench.cell.advance(1800)
        if bench.of_key(bench.sweep(due=True), key):
            break
    assert tenant.live() == set()


def test_a_rule_without_a_tenant_is_named_and_left(bench: Bench) -> None:
    tenant, gone = Keyless(bench), Keyless(bench)
    gone.forget()
    with admin(bench) as client:
        providers = client.admin.organization.workload_identity_providers
        others = providers.create(
            name="somebody-elses", type="oidc", issuer=TRUST["issuer"], audience=TRUST["audience"]
        ).id
        accounts, project = client.admin.organization.projects.service_accounts, tenant.ids["project_id"]
        account = accounts.create(project, name="another", create_service_account_only=True).id
        providers.federation_rules.create(
            tenant.ids["federation"]["provider_id"],
            name="by hand",
            attribute_matchers={"sub": "arn:aws:iam::000000000000:role/other"},
            project_id=project,
            service_account_id=account,
        )
        assert left(bench) == {}, "it may be being made"
        bench.cell.advance(SETTLING_SECONDS)
        told = left(bench)
        assert set(told) == {gone.slug, "by hand"}
        assert gone.ids["federation"]["rule_id"] in told[gone.slug]
        assert others not in str(told), "another's provider is not looked at"
        assert len(list(providers.federation_rules.list(tenant.ids["federation"]["provider_id"]))) == 3
    bench.cell.advance(DAY)
    seen: list[int] = []
    for _ in range(48):
        bench.cell.advance(1800)
        seen.append(sum(one["kind"] == "FederationLeft" for one in bench.sweep(due=True)["orphans"]))
    assert sorted(seen) == [0] * 47 + [2], "once a day, since each provider is a call"


CHANGED: list[dict[str, Any]] = [
    {"sub": "arn:aws:iam::000000000000:role/*"},
    {"sub": "arn:aws:iam::000000000000:role/other"},
    {"openai.tenant": "another"},
]


def test_a_rule_that_was_changed_by_hand_is_named_though_every_call_works(bench: Bench) -> None:
    """Nobody notices it by a failed call: it lets in others than the tenant."""
    tenant, untouched = Keyless(bench), Keyless(bench)
    bench.cell.advance(SETTLING_SECONDS)
    ids = tenant.ids["federation"]
    with admin(bench) as client:
        providers = client.admin.organization.workload_identity_providers
        rule = providers.federation_rules.retrieve(ids["rule_id"], workload_identity_provider_id=ids["provider_id"])
        for change in CHANGED:
            matchers: Any = dict(rule.attribute_matchers) | change
            providers.federation_rules.update(
                ids["rule_id"], workload_identity_provider_id=ids["provider_id"], attribute_matchers=matchers
            )
            told = left(bench)
            assert set(told) == {tenant.slug}
            assert ids["rule_id"] in told[tenant.slug]
            assert "changed by hand" in told[tenant.slug]
        matchers = rule.attribute_matchers
        providers.federation_rules.update(
            ids["rule_id"], workload_identity_provider_id=ids["provider_id"], attribute_matchers=matchers
        )
        asks: Any = 'assertion["https://sts.amazonaws.com/"]["request_tags"]["tenant"]'
        providers.update(
            ids["provider_id"], attribute_transformations=[{"attribute": "openai.tenant", "expression": asks}]
        )
    assert set(left(bench)) == {tenant.slug, untouched.slug}, "any of its tenants' stacks sets it again"
