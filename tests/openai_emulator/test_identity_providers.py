"""Identity providers and federation rules through OpenAI's SDK: what is stored, and what is refused with its field."""

from __future__ import annotations

from typing import Any

import pytest
from openai import APIStatusError, BadRequestError, NotFoundError, OpenAI

from tests.openai_emulator.federated import AUDIENCE, HOST, ROLE, TENANT, Federation
from tests.openai_emulator.harness import Server, Tenant

FIELDS: dict[str, Any] = {"type": "oidc", "name": "aws", "issuer": f"https://{HOST}", "audience": AUDIENCE}
A_KEY = {"kty": "EC", "crv": "P-256", "kid": "one", "x": "AA", "y": "AA"}


def providers(admin: OpenAI) -> Any:
    return admin.admin.organization.workload_identity_providers


def refused(call: Any, kind: type[APIStatusError] = BadRequestError) -> str:
    with pytest.raises(kind) as caught:
        call()
    return caught.value.message


def test_a_provider_is_stored_as_it_was_asked_for(server: Server) -> None:
    admin = server.admin()
    made = providers(admin).create(**FIELDS, description="one account", attribute_transformations=[TENANT])
    assert (made.name, made.issuer, made.audience, made.type) == ("aws", FIELDS["issuer"], AUDIENCE, "oidc")
    assert made.enabled
    assert made.verification.type == "discovery"
    assert [(one.attribute, one.expression) for one in made.attribute_transformations] == [tuple(TENANT.values())]
    assert providers(admin).retrieve(made.id) == made
    changed = providers(admin).update(made.id, enabled=False, description=None, attribute_transformations=[])
    assert (changed.enabled, changed.description, changed.attribute_transformations) == (False, None, [])
    assert changed.issuer == made.issuer, "what is not named stays"
    assert [one.id for one in providers(admin).list()] == [made.id]
    assert providers(admin).delete(made.id).deleted
    assert "not found" in refused(lambda: providers(admin).retrieve(made.id), NotFoundError)


def test_a_list_goes_on_over_its_pages_in_either_order(server: Server) -> None:
    admin = server.admin()
    ids = [providers(admin).create(**(FIELDS | {"name": f"p{number}"})).id for number in range(5)]
    assert [one.id for one in providers(admin).list(limit=2)] == ids
    assert [one.id for one in providers(admin).list(limit=2, order="desc")] == ids[::-1]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"issuer": "http://issuer.example"}, "issuer"),
        ({"type": "x509"}, "type"),
        ({"surplus": 1}, "surplus"),
        ({"verification": {"type": "uploaded_jwks", "jwks": {"keys": []}}}, "verification.jwks"),
        ({"verification": {"type": "uploaded_jwks", "jwks": {"keys": [A_KEY, A_KEY]}}}, "kid"),
        ({"verification": {"type": "uploaded_jwks", "jwks": {"keys": [A_KEY | {"d": "AA"}]}}}, "private"),
        ({"verification": {"type": "discovery", "discovery_url": "http://x"}}, "discovery_url"),
        ({"attribute_transformations": [TENANT, TENANT]}, "attribute_transformations[1].attribute"),
        ({"attribute_transformations": [TENANT | {"attribute": "tenant"}]}, "must start with 'openai.'"),
        ({"attribute_transformations": [TENANT | {"expression": "assertion.sub.matches('a')"}]}, "CEL's `matches`"),
        ({"attribute_transformations": [TENANT | {"expression": "assertion."}]}, "not CEL"),
        ({"attribute_transformations": [TENANT | {"attribute": f"openai.a{n}"} for n in range(21)]}, "at most 20"),
    ],
)
def test_a_provider_that_openai_would_not_take_is_refused(server: Server, change: dict[str, Any], named: str) -> None:
    admin = server.admin()
    assert named in refused(lambda: providers(admin).create(**FIELDS, extra_body=change))
    assert list(providers(admin).list()) == []


def test_fifty_providers_with_names_of_their_own(server: Server) -> None:
    admin = server.admin()
    for number in range(50):
        providers(admin).create(**(FIELDS | {"name": f"p{number}"}))
    assert "at most 50" in refused(lambda: providers(admin).create(**FIELDS))
    assert "another" in refused(lambda: providers(admin).create(**(FIELDS | {"name": "p1"})))
    last = list(providers(admin).list(limit=100))[-1]
    assert "another" in refused(lambda: providers(admin).update(last.id, name="p1"))
    assert providers(admin).update(last.id, name="p49").name == "p49", "its own name is no other's"


def test_a_rule_is_stored_as_it_was_asked_for(federation: Federation, tenant: Tenant) -> None:
    rules = providers(federation.admin).federation_rules
    made = federation.rule(name="acme", permissions={"type": "restricted", "scopes": ["api.model.request"]})
    assert (made.project_id, made.service_account_id) == (tenant.project_id, tenant.service_account_id)
    assert made.attribute_matchers == {"sub": ROLE, "openai.tenant": "acme"}
    assert made.permissions.type == "restricted"
    of = {"workload_identity_provider_id": federation.provider_id}
    assert rules.retrieve(made.id, **of) == made
    changed = rules.update(made.id, **of, enabled=False, name=None, permissions={"type": "service_account_default"})
    assert (changed.enabled, changed.name, changed.permissions.type) == (False, None, "service_account_default")
    assert changed.attribute_matchers == made.attribute_matchers
    assert [one.id for one in rules.list(federation.provider_id)] == [made.id]
    assert list(rules.list(federation.provider_id, service_account_id="svc_acct_other")) == []
    assert "rules" in refused(lambda: providers(federation.admin).delete(federation.provider_id))
    assert rules.delete(made.id, **of).deleted
    assert "not found" in refused(lambda: rules.retrieve(made.id, **of), NotFoundError)
    assert providers(federation.admin).delete(federation.provider_id).deleted


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"attribute_matchers": {}}, "at least one"),
        ({"attribute_matchers": {"sub": "*"}}, "attribute_matchers.sub"),
        ({"attribute_matchers": {"sub": "arn:*:role/x"}}, "at the end"),
        ({"attribute_matchers": {"sub": "arn:aws:**"}}, "at the end"),
        ({"attribute_matchers": {"sub": ["a"]}}, "attribute_matchers.sub"),
        ({"attribute_matchers": {"sub": None}}, "attribute_matchers.sub"),
        ({"attribute_matchers": {"sub": ""}}, "empty"),
        ({"permissions": {"type": "restricted", "scopes": []}}, "scopes"),
        ({"permissions": {"type": "restricted", "scopes": ["api.management.write"]}}, "not a scope"),
        ({"surplus": 1}, "surplus"),
    ],
)
def test_a_rule_that_openai_would_not_take_is_refused(
    federation: Federation, change: dict[str, Any], named: str
) -> None:
    assert named in refused(lambda: federation.rule(extra_body=change))


def test_a_rules_target_must_be_there(federation: Federation, tenant: Tenant) -> None:
    projects = federation.admin.admin.organization.projects
    assert "Project" in refused(lambda: federation.rule(project_id="proj_none"), NotFoundError)
    assert "Service account" in refused(lambda: federation.rule(service_account_id="svc_acct_none"), NotFoundError)
    other = projects.create(name="other")
    assert "Service account" in refused(lambda: federation.rule(project_id=other.id), NotFoundError)
    projects.archive(tenant.project_id)
    assert "archived" in refused(federation.rule)


def test_fifty_rules_and_one_for_each_service_account(federation: Federation, tenant: Tenant) -> None:
    accounts = federation.admin.admin.organization.projects.service_accounts
    federation.rule(name="r")
    assert "has a federation rule" in refused(federation.rule)

    def another(**changes: Any) -> Any:
        account = accounts.create(tenant.project_id, name="more", create_service_account_only=True)
        return federation.rule(service_account_id=account.id, **changes)

    assert "another federation rule's name" in refused(lambda: another(name="r"))
    for _ in range(49):
        another()
    assert "at most 50" in refused(another)


def test_names_can_be_had_twice_where_a_test_asks_for_it(federation: Federation, tenant: Tenant) -> None:
    """OpenAI does not say which it is: callers must be right either way."""
    federation.server.control.settings(federation_names_once=False, one_rule_per_account=False)
    for name in ("r", "r"):
        federation.rule(name=name)
        providers(federation.admin).create(**(FIELDS | {"name": name}))
    assert [one.name for one in providers(federation.admin).list()] == ["aws", "r", "r"]


def test_a_rules_deletion_can_be_answered_and_not_done(federation: Federation, tenant: Tenant) -> None:
    rule, of = federation.rule(), {"workload_identity_provider_id": federation.provider_id}
    federation.server.control.fault("not_done", method="DELETE")
    rules = providers(federation.admin).federation_rules
    assert rules.delete(rule.id, **of).deleted
    assert rules.retrieve(rule.id, **of).id == rule.id


def test_the_audit_log_has_every_change_with_its_ids(federation: Federation, tenant: Tenant) -> None:
    admin, of = federation.admin, {"workload_identity_provider_id": federation.provider_id}
    rule = federation.rule()
    rules = providers(admin).federation_rules
    rules.update(rule.id, **of, enabled=False)
    rules.delete(rule.id, **of)
    providers(admin).update(federation.provider_id, enabled=False)
    providers(admin).delete(federation.provider_id)
    entries = [one.to_dict() for one in admin.admin.organization.audit_logs.list(limit=6).data]
    assert [entry["type"] for entry in entries[::-1]] == [
        "workload_identity_provider.created",
        "workload_identity_provider_mapping.created",
        "workload_identity_provider_mapping.updated",
        "workload_identity_provider_mapping.deleted",
        "workload_identity_provider.updated",
        "workload_identity_provider.deleted",
    ]
    deleted = next(entry for entry in entries if entry["type"] == "workload_identity_provider_mapping.deleted")
    assert deleted["workload_identity_provider_mapping.deleted"] == {
        "id": rule.id,
        "identity_provider_id": federation.provider_id,
        "project_id": tenant.project_id,
        "service_account_id": tenant.service_account_id,
    }


def test_only_an_admin_key_with_the_right_manages_providers(server: Server, tenant: Tenant) -> None:
    reading = server.admin(server.control.create_admin_key("reader", scopes=["api.management.read"]))
    assert list(providers(reading).list()) == []
    with pytest.raises(APIStatusError, match=r"api\.management\.write"):
        providers(reading).create(**FIELDS)
    with pytest.raises(APIStatusError, match=r"api\.management\.read"):
        list(providers(server.admin(tenant.key)).list())
