"""`ignoreChanges` on what a rule judges: AWS keeps another value than the one that the rule saw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policies.guardrails.model import Resource
from tests.policies.rehearsed import document, findings, resource, stack

IGNORED = "judged-properties-not-ignored"


def ignoring(name: str, called: str, *paths: str) -> tuple[Resource, ...]:
    assert called in {one.name for one in stack(name)}
    return tuple(replace(one, ignore_changes=paths) if one.name == called else one for one in stack(name))


@pytest.mark.parametrize(
    ("name", "called", "path"),
    [
        ("acme.local", "acme-key-secret", "tags"),
        ("acme.local", "acme-key-secret", "tags.tenant"),
        ("acme.local", "acme-key-secret", '["kmsKeyId"]'),
        ("acme.local", "acme-key-secret", "*"),
        ("acme.local", "acme-key-policy", "policy"),
        ("acme.local", "acme-rotation", "rotationRules.scheduleExpression"),
        ("acme.local", "acme-openai-invocation", "input"),
        ("acme.local", "local-aws", "allowedAccountIds"),
        ("local", "local-key-key", "policy"),
        ("local", "local-sweep-function", "environment"),
        ("local", "local-sweep-role", "assumeRolePolicy"),
        ("local", "local-sweep-permissions", "policy"),
        ("local", "local-rotation-permission", "sourceArn"),
        ("local", "local-sweeping-target", "input"),
        ("local", "local-alarms-topic-policy", "policy"),
        ("local", "local-rotation-errors", "threshold"),
        ("local", "local-sweep-logs", "retentionInDays"),
    ],
)
def test_no_property_that_is_judged_is_ignored(name: str, called: str, path: str) -> None:
    # https://www.pulumi.com/docs/iac/concepts/resources/options/ignorechanges/
    (found,) = findings(IGNORED, ignoring(name, called, path))
    assert (found.urn.rpartition("::")[2], found.kind) == (called, "violation")


def test_other_teams_may_ignore_what_no_rule_judges() -> None:
    def theirs(type_: str, *paths: str, **properties: Any) -> list[str]:
        return [one.path for one in findings(IGNORED, [replace(resource(type_, **properties), ignore_changes=paths)])]

    assert theirs("aws:secretsmanager/secret:Secret", "tags", name="theirs") == []
    assert theirs("aws:lambda/permission:Permission", "sourceArn", function="theirs") == []
    allowed = document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
    assert theirs("aws:iam/userPolicy:UserPolicy", "name", user="intern", policy=allowed) == []
    assert theirs("aws:iam/userPolicy:UserPolicy", "policy", user="intern", policy=allowed) == ["policy"]
    assert theirs("aws:iam/role:Role", "managedPolicyArns", name="theirs") == [], "it asks for none"
