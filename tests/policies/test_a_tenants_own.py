"""A tenant's stack, key and readers are that tenant's: no other tenant's, and not the cell's."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from policies.guardrails import ownership
from policies.guardrails.config import Config
from policies.guardrails.model import UNKNOWN, Resource
from tests.policies.rehearsed import changed, document, edited, findings, resource, stack

OWN_STACK, DEDICATED = "stack-of-one-tenant", "dedicated-tenant-has-its-own"


def test_a_tenants_stack_has_no_other_tenants_secret() -> None:
    acme = stack("acme.local")
    globex = [replace(one, urn=one.urn.replace(":globex.local::", ":acme.local::")) for one in stack("globex.local")]
    found = findings(OWN_STACK, (*acme, *globex))
    assert {one.urn.rpartition("::")[2] for one in found} == {
        "globex-key-secret", "globex-key-policy", "globex-rotation", "globex-dedicated-role",
        "globex-dedicated-key-key", "globex-openai-invocation", "globex-declaration",
    }  # fmt: skip
    assert "it is of tenant globex of cell local, and the stack is of tenant acme of cell local" in found[0].message
    admin = replace(
        resource(ownership.A_SECRET, name="myflux-admin/local/openai"),
        urn=acme[0].urn.partition("::")[0] + "::p::t::admin",
    )
    assert [one.message.partition(",")[0] for one in findings(OWN_STACK, (*acme, admin))] == ["it is of cell local"]
    own_admin = replace(admin, properties={"name": "myflux-admin/local/acme/openai"})
    assert findings(OWN_STACK, (*acme, own_admin)) == [], "the customer's own admin key"


def test_a_stack_of_another_program_has_secrets_of_one_cell() -> None:
    def secret(name: str) -> Resource:
        return resource(ownership.A_SECRET, name, name=name)

    acme = secret("myflux/prod/acme/openai")
    assert findings(OWN_STACK, [acme, secret("myflux/prod/globex/openai"), secret("theirs")]) == []
    assert len(findings(OWN_STACK, [acme, secret("myflux/other/globex/openai")])) == 1


TOLD = Config(promises=(json.dumps({"tenant": "acme", "isolation": "dedicated"}),))


def cells_key() -> str:
    return next(one.text("kmsKeyId") for one in stack("acme.local") if one.name == "acme-key-secret")


def test_a_dedicated_tenants_secret_uses_the_tenants_own_key() -> None:
    globex = stack("globex.local")
    (found,) = findings(DEDICATED, changed(globex, "globex-key-secret", kmsKeyId=cells_key()))
    assert (found.kind, found.path) == ("violation", "kmsKeyId")
    assert "another KMS key than its own" in found.message
    for deployed in (True, False):
        assert findings(DEDICATED, stack("globex.local", deployed)) == []
    platforms = [replace(one, property_dependencies={}) for one in globex]
    hidden = tuple(platforms)
    assert [one.kind for one in findings(DEDICATED, changed(hidden, "globex-key-secret", kmsKeyId=UNKNOWN))] == [
        "unknown"
    ]


def test_a_tenant_whose_file_says_dedicated_is_held_to_it() -> None:
    assert findings(DEDICATED, stack("acme.local")) == [], "untold, the stack alone decides"
    (found, *_) = findings(DEDICATED, stack("acme.local"), TOLD)
    assert (found.kind, found.path) == ("violation", "kmsKeyId")
    assert "no KMS key of its own" in found.message
    assert findings(DEDICATED, stack("globex.local"), TOLD) == []


def test_the_shared_runtime_role_is_shut_out_of_a_dedicated_tenants_secret_and_key() -> None:
    runtime = "arn:aws:iam::000000000000:role/myflux-local-runtime"

    def lets_in(read: Any) -> None:
        for statement in read["Statement"]:
            for operator in statement.get("Condition", {}).values():
                if isinstance(named := operator.get("aws:PrincipalArn"), list):
                    named.append(runtime)

    for called in ("globex-key-policy", "globex-dedicated-key-key"):
        found = findings(DEDICATED, edited(stack("globex.local"), called, "policy", lets_in))
        assert [(one.urn.rpartition("::")[2], one.path) for one in found] == [(called, "policy")]


@pytest.mark.parametrize("type_", ["aws:kms/grant:Grant", "aws:kms/keyPolicy:KeyPolicy"])
def test_the_cells_key_is_not_changed_from_a_tenants_stack(type_: str) -> None:
    # Only the ARN tells that it is the cell's: the tenant's secret is encrypted with it.
    rule = "kms-key-not-handed-on" if type_.endswith("Grant") else "kms-key-used-through-secrets-manager"
    anybody = document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"})
    properties = {} if type_.endswith("Grant") else {"policy": anybody}
    for key in (cells_key(), cells_key().rpartition("/")[2]):
        assert findings(rule, (*stack("acme.local"), resource(type_, keyId=key, **properties))), key
    theirs = resource(type_, keyId=cells_key().replace("key/7", "key/8"), **properties)
    assert findings(rule, (*stack("acme.local"), theirs)) == []


@pytest.mark.parametrize("type_", ["externalKey:ExternalKey", "replicaKey:ReplicaKey"])
def test_a_secrets_key_is_of_the_type_whose_policy_is_judged(type_: str) -> None:
    # https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html
    key = resource(f"aws:kms/{type_}", "theirs", policy="{}")
    acme = tuple(
        replace(one, property_dependencies={**one.property_dependencies, "kmsKeyId": frozenset({key.urn})})
        if one.name == "acme-key-secret"
        else one
        for one in stack("acme.local")
    )
    (found,) = findings("secret-has-its-own-kms-key", (*acme, key))
    assert (found.kind, found.path) == ("violation", "kmsKeyId")
