"""AWS's answers when a resource of ours is made: ids and ARNs in AWS's formats.

Owns the formats, so that references to a resource look as they will once deployed. Leaves out running the program
(`rehearsal`). A random id of AWS is derived from the resource's name here, so it is the same in every run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from myflux_keys.aws_names import CellNames

Inputs = Mapping[str, Any]
Answer = tuple[str, dict[str, Any]]
"""A resource's id, and the outputs that its inputs do not hold."""


class NoAnswerError(Exception):
    """The program makes a resource of a type without an answer here."""


def answer(names: CellNames, type_: str, name: str, inputs: Inputs) -> Answer:
    """Raises NoAnswerError for an unknown type: an empty answer would hide faults of the resources that use it."""
    if type_.startswith(("pulumi:providers:", "myflux:")):
        return _drawn(name, 8), {}
    if type_ not in _ANSWERS:
        raise NoAnswerError(f"{name} is a {type_}, and ops/review/answers.py has no answer for that type: add one.")
    return _ANSWERS[type_](names, name, inputs)


def platform(names: CellNames) -> dict[str, str]:
    """What the platform's stack exports to its tenants'."""
    return {
        "kms_key_arn": _key(names, f"{names.cell}-key-key", {})[1]["arn"],
        "rotation_function_arn": names.rotation_function_arn,
        "provisioner_function": names.provisioner_function,
        "runtime_role_arn": names.runtime_role_arn,
        "health_bucket": names.health_bucket,
        "federation_issuer": _issuer(names),
    }


def _drawn(name: str, length: int) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:length]


def _arn(names: CellNames, service: str, resource: str, *, regional: bool = True) -> str:
    region = names.region if regional else ""
    return f"arn:{names.partition}:{service}:{region}:{names.account_id}:{resource}"


def _key(names: CellNames, name: str, _: Inputs) -> Answer:
    drawn = _drawn(name, 32)
    key = "-".join((drawn[:8], drawn[8:12], drawn[12:16], drawn[16:20], drawn[20:]))
    return key, {"arn": _arn(names, "kms", f"key/{key}"), "keyId": key}


def _alias(names: CellNames, _: str, inputs: Inputs) -> Answer:
    return inputs["name"], {"arn": _arn(names, "kms", inputs["name"])}


def _secret(names: CellNames, name: str, inputs: Inputs) -> Answer:
    arn = _arn(names, "secretsmanager", f"secret:{inputs['name']}-{_drawn(name, 6)}")
    return arn, {"arn": arn}


def _of_a_secret(_: CellNames, __: str, inputs: Inputs) -> Answer:
    return inputs.get("secretArn") or inputs["secretId"], {}


def _version(_: CellNames, name: str, inputs: Inputs) -> Answer:
    """The program makes none; where a branch does, the pack's rules report it."""
    version, arn = _drawn(name, 32), str(inputs["secretId"])
    return f"{arn}|{version}", {"arn": arn, "versionId": version}


def _iam(kind: str) -> Callable[[CellNames, str, Inputs], Answer]:
    def made(names: CellNames, _: str, inputs: Inputs) -> Answer:
        arn = _arn(names, "iam", f"{kind}/{inputs['name']}", regional=False)
        return (arn if kind == "policy" else inputs["name"]), {"arn": arn}

    return made


def _function(names: CellNames, _: str, inputs: Inputs) -> Answer:
    arn = _arn(names, "lambda", f"function:{inputs['name']}")
    return inputs["name"], {"arn": arn, "qualifiedArn": f"{arn}:$LATEST"}


def _page(names: CellNames, name: str, inputs: Inputs) -> Answer:
    function = str(inputs["functionName"])
    address = f"https://{_drawn(name, 32)}.lambda-url.{names.region}.on.aws/"
    return function, {"functionArn": _arn(names, "lambda", f"function:{function}"), "functionUrl": address}


def _queue(names: CellNames, _: str, inputs: Inputs) -> Answer:
    url = f"https://sqs.{names.region}.amazonaws.com/{names.account_id}/{inputs['name']}"
    return url, {"arn": _arn(names, "sqs", inputs["name"]), "url": url}


def _topic(names: CellNames, _: str, inputs: Inputs) -> Answer:
    arn = _arn(names, "sns", inputs["name"])
    return arn, {"arn": arn}


def _named(service: str, prefix: str) -> Callable[[CellNames, str, Inputs], Answer]:
    def made(names: CellNames, _: str, inputs: Inputs) -> Answer:
        return inputs["name"], {"arn": _arn(names, service, prefix + inputs["name"])}

    return made


def _project(_: CellNames, name: str, inputs: Inputs) -> Answer:
    answered: dict[str, Any] = {
        "project_id": f"proj_{_drawn(name, 24)}",
        "service_account_id": f"svc_acct_{_drawn(name, 24)}",
    }
    if "federation" in json.loads(inputs["input"]):
        ids = {"provider_id": f"idp_{_drawn(name, 24)}", "rule_id": f"idpm_{_drawn(name, 24)}"}
        answered |= {"federation": ids, "base_url": "https://api.openai.com/v1"}
    return _drawn(name, 12), {"result": json.dumps(answered)}


def _issuer(names: CellNames) -> str:
    drawn = _drawn(names.account_id, 32)
    account = "-".join((drawn[:8], drawn[8:12], drawn[12:16], drawn[16:20], drawn[20:]))
    return f"https://{account}.tokens.sts.global.api.aws"


def _federation(names: CellNames, _: str, __: Inputs) -> Answer:
    return names.account_id, {"issuerIdentifier": _issuer(names)}


def _bucket(names: CellNames, _: str, inputs: Inputs) -> Answer:
    return inputs["bucket"], {"arn": f"arn:{names.partition}:s3:::{inputs['bucket']}"}


def _of_a_bucket(_: CellNames, __: str, inputs: Inputs) -> Answer:
    return inputs["bucket"], {}


def _object(names: CellNames, _: str, inputs: Inputs) -> Answer:
    return inputs["key"], {"arn": f"arn:{names.partition}:s3:::{inputs['bucket']}/{inputs['key']}"}


def _dashboard(names: CellNames, _: str, inputs: Inputs) -> Answer:
    arn = _arn(names, "cloudwatch", f"dashboard/{inputs['dashboardName']}", regional=False)
    return inputs["dashboardName"], {"dashboardArn": arn}


def _nothing_more(_: CellNames, name: str, __: Inputs) -> Answer:
    return name, {}


_ANSWERS: Final[Mapping[str, Callable[[CellNames, str, Inputs], Answer]]] = {
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:cloudwatch/eventRule:EventRule": _named("events", "rule/"),
    "aws:cloudwatch/eventTarget:EventTarget": _nothing_more,
    "aws:cloudwatch/logGroup:LogGroup": _named("logs", "log-group:"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _named("cloudwatch", "alarm:"),
    "aws:iam/outboundWebIdentityFederation:OutboundWebIdentityFederation": _federation,
    "aws:iam/policy:Policy": _iam("policy"),
    "aws:iam/role:Role": _iam("role"),
    "aws:iam/rolePolicy:RolePolicy": _nothing_more,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _nothing_more,
    "aws:kms/alias:Alias": _alias,
    "aws:kms/key:Key": _key,
    "aws:lambda/function:Function": _function,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _nothing_more,
    "aws:lambda/functionUrl:FunctionUrl": _page,
    "aws:lambda/invocation:Invocation": _project,
    "aws:lambda/permission:Permission": _nothing_more,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_a_bucket,
    "aws:s3/bucketObjectv2:BucketObjectv2": _object,
    "aws:s3/bucketPolicy:BucketPolicy": _of_a_bucket,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_a_bucket,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_a_bucket,
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretPolicy:SecretPolicy": _of_a_secret,
    "aws:secretsmanager/secretRotation:SecretRotation": _of_a_secret,
    "aws:secretsmanager/secretVersion:SecretVersion": _version,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _nothing_more,
    "aws:sns/topicSubscription:TopicSubscription": _nothing_more,
    "aws:sqs/queue:Queue": _queue,
}
