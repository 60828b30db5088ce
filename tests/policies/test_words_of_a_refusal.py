"""A refusal names the place, and its words fit what was given: no way out that is not one, no reason that is not so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.guardrails.engine import explain, misspelt
from policies.guardrails.judge import RULES
from policies.guardrails.model import Rule
from tests.policies.rehearsed import document, findings, resource, stack

BY_NAME: dict[str, Rule] = {rule.name: rule for rule in RULES}
HARMLESS = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
READS = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
THERE = "arn:aws:sqs:us-east-1:999999999999:x"
SUBSCRIBED = "aws:sns/topicSubscription:TopicSubscription"
LOGGED = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
TOPIC = "arn:aws:sns:us-east-1:000000000000:myflux-local-alarms"


def said(rule: str, *added: Any) -> str:
    (found,) = findings(rule, added)
    return explain(BY_NAME[rule], found)


@pytest.mark.parametrize("rule", ["tenant-secrets-read-by-ours-alone", "admin-key-read-by-functions-alone"])
def test_a_statement_without_a_name_is_named_by_its_place(rule: str) -> None:
    several = resource("aws:iam/rolePolicy:RolePolicy", role="helpdesk", policy=document(HARMLESS, HARMLESS, READS))
    assert "statement 3 allows secretsmanager:GetSecretValue" in said(rule, several)
    named = resource("aws:iam/rolePolicy:RolePolicy", role="helpdesk", policy=document({"Sid": "Allow", **READS}))
    assert "statement Allow allows" in said(rule, named)


def test_the_places_of_a_roles_statements_are_named_too() -> None:
    trust = document({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})
    role = resource("aws:iam/role:Role", name="myflux-local-runtime", assumeRolePolicy=trust)
    assert "statement 1 " in said("trust-names-its-principals", role)
    read = resource("aws:iam/policy:Policy", name="myflux-local-read", policy=document(HARMLESS, READS))
    found = findings("runtime-reads-by-tag", (read,))
    assert found, "the second statement is not bound to the session's tenant"
    assert {one.message.split(" ")[:2] == ["statement", "2"] for one in found} == {True}


def test_the_way_out_of_a_star_is_to_name_what_is_meant() -> None:
    star = resource("aws:iam/rolePolicy:RolePolicy", role="helpdesk", policy=document(READS))
    assert "without a wildcard" in said("admin-key-read-by-functions-alone", star), (
        "the policy does not name our secret"
    )


def test_a_layer_in_our_component_is_told_to_go() -> None:
    changed = [one for one in stack("local") if one.name == "local-sweep-function"]
    (function,) = changed
    layered = resource(function.type, function.name, **{**function.properties, "layers": [f"{TOPIC}:layer:x:1"]})
    assert "Fix: Remove layers" in said("functions-run-our-code", layered)


def test_what_a_role_lacks_is_told_with_what_is_lost() -> None:
    function = resource("aws:lambda/function:Function", name="myflux-local-sweep")
    lost = [one.message.rpartition(": ")[2] for one in findings("functions-leave-a-trace", (function,))]
    assert lost == ["its log is lost", "its log is lost", "its dead letters are lost"]


def test_a_known_destination_is_not_said_to_be_unknown_before_deployment() -> None:
    """A stack of another team may name no account at all."""
    away = resource(LOGGED, logGroup="/aws/lambda/myflux-local-sweep", destinationArn=THERE)
    told = said("logs-stay-in-the-account", away)
    assert "before deployment" not in told
    assert "allowedAccountIds" in told, "the reason, and with it the way out"
    alarms = resource(SUBSCRIBED, topic=TOPIC.replace("000000000000", ""), protocol="sqs", endpoint=THERE)
    assert "may be sent to another account" in said("alarms-topic-closed", alarms)


def test_a_provider_bound_to_one_account_says_which_is_the_stacks() -> None:
    def bound(*ids: str, called: str = "aws") -> Any:
        return resource("pulumi:providers:aws", called, allowedAccountIds=json.dumps(ids))

    away = resource(LOGGED, logGroup="/aws/lambda/myflux-local-sweep", destinationArn=THERE)

    def kinds(*providers: Any) -> list[str]:
        return [one.kind for one in findings("logs-stay-in-the-account", (*providers, away))]

    assert kinds(bound("000000000000")) == ["violation"]
    assert kinds(bound("999999999999")) == []
    assert kinds(bound("999999999999", "000000000000")) == ["unknown"], "either could be meant"
    assert kinds(bound("999999999999"), bound("000000000000", called="b")) == ["unknown"]
    assert kinds(bound("999999999999"), resource("pulumi:providers:aws", "b")) == ["unknown"], "the other is not bound"


def test_a_document_that_is_no_json_is_not_said_to_be_unknown_before_deployment() -> None:
    for rule, broken in (
        ("alarms-topic-closed", resource("aws:sns/topic:Topic", name="myflux-local-alarms", policy="{")),
        ("kms-key-used-through-secrets-manager", resource("aws:kms/key:Key", policy='{"myflux/local/acme/openai"')),
    ):
        assert "the policy document can't be read: it is not JSON" in said(rule, broken)


def test_a_misspelt_setting_is_refused_with_those_that_the_rule_has() -> None:
    """Otherwise the default stays in force, and nobody is told."""
    bridled = BY_NAME["functions-are-bridled"]
    assert "its settings are maxConcurrency" in misspelt(bridled, {"maxConcurency": 1})
    assert "it has none but enforcementLevel" in misspelt(BY_NAME["no-key-in-properties"], {"maxConcurrency": 1})
    for given in (None, {}, {"maxConcurrency": 1}):
        assert misspelt(bridled, given) == ""
