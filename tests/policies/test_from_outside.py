"""What another resource does to one of ours: what AWS documents of it, and that the pack refuses it for ours alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from policies.guardrails import ownership
from policies.guardrails.model import UNKNOWN, Resource
from policies.guardrails.outside_types import ALARM, CHANGERS, LOG_GROUP, METRIC_FILTER, SUBJECTS, Changer
from policies.guardrails.targets import name_in, ours_by_name
from tests.policies.rehearsed import changed, findings, resource, stack

OUTSIDE, TAGS = "ours-changed-by-its-own-resource", "tags-set-by-ours-alone"
HERE = "us-east-1:000000000000"
NAMED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    ownership.A_SECRET: (
        (f"arn:aws:secretsmanager:{HERE}:secret:myflux/local/acme/openai-a1B2c3", "myflux/local/acme/openai"),
        (f"arn:aws:secretsmanager:{HERE}:secret:theirs/myflux/openai-a1B2c3", "theirs"),
    ),
    ownership.KEY: (
        (f"arn:aws:kms:{HERE}:alias/myflux/local", "alias/myflux/local"),
        (f"arn:aws:kms:{HERE}:key/1234abcd-12ab-34cd-56ef-1234567890ab", "alias/theirs"),
    ),
    ownership.ROLE: (
        ("myflux-local-runtime", "arn:aws:iam::000000000000:role/path/myflux-local-runtime"),
        ("theirs",),
    ),
    ownership.FUNCTION: (
        (
            f"arn:aws:lambda:{HERE}:function:myflux-local-rotation",
            f"arn:aws:lambda:{HERE}:function:myflux-local-rotation:3",
            "000000000000:function:myflux-local-rotation",
            "myflux-local-rotation",
        ),
        (f"arn:aws:lambda:{HERE}:function:theirs", "theirs"),
    ),
    ownership.TOPIC: ((f"arn:aws:sns:{HERE}:myflux-local-alarms",), (f"arn:aws:sns:{HERE}:theirs",)),
    ownership.QUEUE: (
        ("https://sqs.us-east-1.amazonaws.com/000000000000/myflux-local-dead-letters",),
        ("https://sqs.us-east-1.amazonaws.com/000000000000/theirs",),
    ),
    ALARM: (("myflux-local-rotation-errors", f"arn:aws:cloudwatch:{HERE}:alarm:myflux-local-rotation-errors"), ("x",)),
    ownership.BUCKET: (
        ("myflux-health-local-000000000000", "arn:aws:s3:::myflux-health-local-000000000000"),
        ("theirs", "myflux-state-local-000000000000"),
    ),
    LOG_GROUP: (
        ("/aws/lambda/myflux-local-rotation", f"arn:aws:logs:{HERE}:log-group:/aws/lambda/myflux-local-rotation:*"),
        ("/aws/lambda/theirs",),
    ),
}
"""By type: names of ours, and of others."""

_SEC = "https://docs.aws.amazon.com/secretsmanager/latest/"
SOURCES = {
    "aws:secretsmanager/tag:Tag": f"{_SEC}apireference/API_TagResource.html",
    "aws:msk/scramSecretAssociation:ScramSecretAssociation": "https://docs.aws.amazon.com/msk/latest/developerguide/msk-password-tutorial.html",
    "aws:msk/singleScramSecretAssociation:SingleScramSecretAssociation": "https://docs.aws.amazon.com/msk/latest/developerguide/msk-password-tutorial.html",
    "aws:kms/replicaKey:ReplicaKey": "https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html",
    "aws:kms/replicaExternalKey:ReplicaExternalKey": "https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html",
    "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive": "https://www.pulumi.com/registry/packages/aws/api-docs/iam/rolepoliciesexclusive/",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": "https://www.pulumi.com/registry/packages/aws/api-docs/iam/rolepolicyattachmentsexclusive/",
    "aws:iam/instanceProfile:InstanceProfile": "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html",
    "aws:lambda/resourcePolicy:ResourcePolicy": "https://docs.aws.amazon.com/lambda/latest/api/API_PutResourcePolicy.html",
    "aws:connect/lambdaFunctionAssociation:LambdaFunctionAssociation": "https://docs.aws.amazon.com/connect/latest/APIReference/API_AssociateLambdaFunction.html",
    "aws:lambda/eventSourceMapping:EventSourceMapping": "https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html",
    "aws:lambda/alias:Alias": "https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html",
    "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": "https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html",
    "aws:lambda/functionScalingConfig:FunctionScalingConfig": "https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionScalingConfig.html",
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": "https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html",
    "aws:lambda/runtimeManagementConfig:RuntimeManagementConfig": "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html",
    "aws:sns/dataProtectionPolicy:DataProtectionPolicy": "https://docs.aws.amazon.com/sns/latest/dg/sns-message-data-protection-policies.html",
    "aws:sqs/redrivePolicy:RedrivePolicy": "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    "aws:cloudwatch/alarmMuteRule:AlarmMuteRule": "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules.html",
    "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy": "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/mask-sensitive-log-data.html",
    "aws:cloudwatch/logTransformer:LogTransformer": "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Transformation.html",
    METRIC_FILTER: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html",
    **{
        one.type: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html"
        for one in CHANGERS if one.of == ownership.BUCKET
    },
}  # fmt: skip
"""Where it is documented that a resource of the type changes the other one."""


def naming(changer: Changer, value: Any) -> dict[str, Any]:
    name, *inner = changer.path
    held: Any = [value] if changer.path[-1].endswith(("Lists", "Names")) else value
    return {name: {inner[0]: held} if inner else held}


@pytest.mark.parametrize("changer", CHANGERS, ids=lambda one: one.type)
def test_it_is_refused_for_ours_by_name_or_arn_and_for_nobody_elses(changer: Changer) -> None:
    assert SOURCES[changer.type].startswith("https://"), "where it is documented"
    ours, others = NAMED[changer.of]
    for text in ours:
        (found,) = findings(OUTSIDE, [resource(changer.type, **naming(changer, text))])
        assert (found.kind, found.path) == ("violation", ".".join(changer.path)), text
        assert changer.does in found.message
    for text in others:
        assert findings(OUTSIDE, [resource(changer.type, **naming(changer, text))]) == [], text


@pytest.mark.parametrize("changer", CHANGERS, ids=lambda one: one.type)
def test_an_unknown_name_is_as_much_ours_as_the_resource_that_it_comes_from(changer: Changer) -> None:
    unknown = resource(changer.type, **naming(changer, UNKNOWN))
    (found,) = findings(OUTSIDE, [unknown])
    assert found.kind == "unknown", "it comes from nowhere: from configuration, or a lookup"
    for name, kinds in ((name_in(NAMED[changer.of][0][0]), {"violation"}), ("theirs", set[str]())):
        tags = {"managed-by": "myflux-keys"} if kinds else {}
        source = resource(changer.of, "source", name=name, tags=tags)
        between = replace(
            resource("aws:ssm/parameter:Parameter", "between", value=UNKNOWN),
            property_dependencies={"value": frozenset({source.urn})},
        )
        for at in (source, between):
            follows = replace(unknown, property_dependencies={changer.path[0]: frozenset({at.urn})})
            assert {one.kind for one in findings(OUTSIDE, [source, between, follows])} == kinds, (name, at.name)


def test_each_alarm_of_a_platform_is_known_by_its_name() -> None:
    names = [one.text("name") for one in stack("local") if one.type == ALARM]
    assert len(names) > 10
    assert [name for name in names if not ours_by_name(ALARM, name)] == [], "a mute rule of another stack has only it"
    assert not ours_by_name(ALARM, "myflux-dashboard-slow")


def test_a_tag_of_its_own_does_not_make_a_secret_anothers() -> None:
    tag = resource("aws:secretsmanager/tag:Tag", secretId="myflux/local/acme/openai", key="tenant", value="globex")
    assert findings(OUTSIDE, (*stack("acme.local"), tag))
    assert "another tenant" not in str(findings("secret-name-and-tags-agree", (*stack("acme.local"), tag))), (
        "the secret's own properties do not show it"
    )


def test_metrics_that_alarms_watch_are_not_made_from_anybodys_log() -> None:
    def filtered(namespace: Any) -> Resource:
        return resource(METRIC_FILTER, logGroupName="theirs", metricTransformation={"namespace": namespace})

    assert findings(OUTSIDE, [filtered("Theirs")]) == []
    assert [one.kind for one in findings(OUTSIDE, [filtered("MyFluxKeys")])] == ["violation"]
    assert [one.kind for one in findings(OUTSIDE, [filtered(UNKNOWN)])] == ["unknown"]


@pytest.mark.parametrize(("type_", "path", "of"), SUBJECTS, ids=[type_ for type_, _, _ in SUBJECTS])
def test_whether_it_is_for_ours_cannot_be_judged_from_nowhere(type_: str, path: str, of: str) -> None:
    value = [UNKNOWN] if path == "roles" else UNKNOWN
    (found,) = findings(OUTSIDE, [resource(type_, **{path: value})])
    assert (found.kind, found.path) == ("unknown", path)
    theirs = resource(of, "theirs", name="theirs")
    follows = replace(resource(type_, **{path: value}), property_dependencies={path: frozenset({theirs.urn})})
    assert findings(OUTSIDE, [theirs, follows]) == []


ALSO = [
    # PutMetricAlarm and PutRule create or update what has the name:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
    ("local", "local-rotation-errors"),
    ("local", "local-sweeping-rule"),
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
    ("local", "local-sweeping-target"),
    # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
    ("acme.local", "acme-key-policy"),
    # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
    ("acme.local", "acme-rotation"),
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
    ("local", "local-sweep-permissions"),
    # https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
    ("local", "local-alarms-topic-policy"),
]


@pytest.mark.parametrize(("name", "called"), ALSO, ids=[called for _, called in ALSO])
@pytest.mark.parametrize("deployed", [True, False], ids=["deployed", "first preview"])
def test_two_resources_for_the_same_thing_are_refused(name: str, called: str, deployed: bool) -> None:
    there = stack(name, deployed)
    (one,) = [found for found in there if found.name == called]
    again = replace(one, name=f"{called}-again", urn=f"{one.urn}-again")
    (found,) = findings(OUTSIDE, (*there, again))
    assert (found.urn, found.kind) == (again.urn, "violation")
    assert findings(OUTSIDE, there) == []


def test_two_resources_of_another_team_are_left_alone() -> None:
    twice = [resource(ALARM, called, name="theirs") for called in ("one", "two")]
    assert findings(OUTSIDE, twice) == []


@pytest.mark.parametrize("tag", ["tenant", "cell", "managed-by", "myflux:organization-id"])
def test_a_provider_sets_and_ignores_no_tag_of_ours(tag: str) -> None:
    # https://www.pulumi.com/registry/packages/aws/api-docs/provider/#providerdefaulttags
    def told(**properties: Any) -> list[tuple[str, str]]:
        as_text = {name: json.dumps(value) for name, value in properties.items()}
        return [(one.kind, one.path) for one in findings(TAGS, changed(stack("acme.local"), "local-aws", **as_text))]

    assert told(defaultTags={"tags": {"team": "theirs"}}, ignoreTags={"keys": ["team"], "keyPrefixes": ["aws:"]}) == []
    assert told(defaultTags={"tags": {tag: "globex"}}) == [("violation", "defaultTags.tags")]
    assert told(ignoreTags={"keys": [tag]}) == [("violation", "ignoreTags.keys")]
    assert told(ignoreTags={"keyPrefixes": [tag[:3]]}) == [("violation", "ignoreTags.keyPrefixes")]


@pytest.mark.parametrize("before", ["", "000000000000:", "000000000000:function:", "us-east-1:000000000000:function:",
                                    "arn:aws:lambda:us-east-1:000000000000:function:"])  # fmt: skip
@pytest.mark.parametrize("behind", ["", ":1"])
def test_a_function_of_ours_is_known_in_each_form_that_lambda_takes(before: str, behind: str) -> None:
    # https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestSyntax (FunctionName)
    def url(name: str) -> Resource:
        return resource("aws:lambda/functionUrl:FunctionUrl", functionName=f"{before}{name}{behind}")

    assert findings("functions-called-by-ours-alone", [url("myflux-local-sweep")])
    assert findings("functions-called-by-ours-alone", [url("myflux-calls")]) == []
    alias = resource("aws:lambda/alias:Alias", functionName=f"{before}myflux-local-sweep{behind}")
    assert findings("ours-changed-by-its-own-resource", [alias])
