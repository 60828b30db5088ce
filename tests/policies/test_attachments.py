"""Managed policies that are attached: by every type of the provider, also from a place that nobody can see."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from policies.guardrails.model import UNKNOWN
from tests.policies.rehearsed import findings, resource


def test_a_policy_from_nowhere_cannot_be_judged_whoever_gets_it() -> None:
    rule, type_ = "policies-attached-where-they-belong", "aws:iam/userPolicyAttachment:UserPolicyAttachment"
    (found,) = findings(rule, [resource(type_, user="intern", policyArn=UNKNOWN)])
    assert (found.kind, found.path) == ("unknown", "policyArn")
    policy = resource("aws:iam/policy:Policy", "theirs", name="theirs")
    from_it = replace(
        resource(type_, user="intern", policyArn=UNKNOWN),
        property_dependencies={"policyArn": frozenset({policy.urn})},
    )
    assert findings(rule, [policy, from_it]) == []


@pytest.mark.parametrize(
    ("type_", "properties"),
    [
        ("managedPolicyAttachment:ManagedPolicyAttachment", {"managedPolicyArn": "{}"}),
        ("managedPolicyAttachmentsExclusive:ManagedPolicyAttachmentsExclusive", {"managedPolicyArns": ["{}"]}),
    ],
)
def test_a_permission_set_has_no_policy_that_reads_all_secrets(type_: str, properties: dict[str, Any]) -> None:
    # https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_AttachManagedPolicyToPermissionSet.html
    def attached(name: str) -> list[str]:
        told = json.loads(json.dumps(properties).replace("{}", f"arn:aws:iam::aws:policy/{name}"))
        found = findings("policies-attached-where-they-belong", [resource(f"aws:ssoadmin/{type_}", **told)])
        return [one.kind for one in found]

    assert attached("AmazonS3ReadOnlyAccess") == []
    assert attached("SecretsManagerReadWrite") == ["violation"]


@pytest.mark.parametrize("many", [False, True])
def test_a_permission_set_has_no_policy_of_ours(many: bool) -> None:
    # https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CustomerManagedPolicyReference.html
    type_ = "aws:ssoadmin/customerManagedPolicyAttachment:CustomerManagedPolicyAttachment"

    def attached(name: Any) -> list[str]:
        one = {"name": name, "path": "/"}
        many_type = type_.replace("Attachment", "AttachmentsExclusive")
        made = (
            resource(many_type, customerManagedPolicyReferences=[one])
            if many
            else resource(type_, customerManagedPolicyReference=one)
        )
        return [found.kind for found in findings("policies-attached-where-they-belong", [made])]

    assert attached("theirs") == []
    assert attached("myflux-local-read") == ["violation"]
    assert attached(UNKNOWN) == ["unknown"]
