"""The state of a Lambda function in AWS, and whether its last change is complete."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from local.provider.aws import Aws, Refused
from local.provider.model import State
from local.provider.values import Archive

WAIT_SECONDS = 600
"""The most that a function may take to become active: the official plugin's default timeout."""


def wait(aws: Aws, id: str) -> None:
    """Waits until the function is active and its last change is complete. Raises Refused with AWS's reason."""
    end, pause = time.monotonic() + WAIT_SECONDS, 0.05
    while True:
        seen = aws.client("lambda").get_function_configuration(FunctionName=id)
        if seen.get("State") == "Failed" or seen.get("LastUpdateStatus") == "Failed":
            why = seen.get("StateReason") or seen.get("LastUpdateStatusReason") or "no reason given"
            raise Refused(f"the function {id} failed: {why}")
        if seen.get("State", "Active") in ("Active", "Inactive") and seen.get("LastUpdateStatus") != "InProgress":
            return
        if time.monotonic() > end:
            raise Refused(f"the function {id} is still {seen.get('State')} after {WAIT_SECONDS} s")
        time.sleep(pause)
        pause = min(2.0, pause * 2)


def read(aws: Aws, id: str, prior: State) -> State | None:
    client = aws.client("lambda")
    answer = client.get_function(FunctionName=id)
    held, arn = answer["Configuration"], answer["Configuration"]["FunctionArn"]
    latest = _latest(aws, id)
    code = prior.get("code")
    uploaded = code.hash if isinstance(code, Archive) else None
    return {
        "name": held["FunctionName"],
        "arn": arn,
        "role": held["Role"],
        "runtime": held.get("Runtime"),
        "handler": held.get("Handler"),
        "timeout": held["Timeout"],
        "memorySize": held["MemorySize"],
        "description": held.get("Description", ""),
        "architectures": held.get("Architectures"),
        "packageType": held.get("PackageType", "Zip"),
        "environment": {"variables": held["Environment"]["Variables"]} if _variables(held) else None,
        "deadLetterConfig": _dead_letter(held),
        "loggingConfig": {
            name[0].lower() + name[1:]: value for name, value in (held.get("LoggingConfig") or {}).items()
        },
        "ephemeralStorage": {"size": (held.get("EphemeralStorage") or {}).get("Size", 512)},
        "tracingConfig": {"mode": (held.get("TracingConfig") or {}).get("Mode", "PassThrough")},
        "signingJobArn": held.get("SigningJobArn", ""),
        "signingProfileVersionArn": held.get("SigningProfileVersionArn", ""),
        "kmsKeyArn": held.get("KMSKeyArn", ""),
        "reservedConcurrentExecutions": (answer.get("Concurrency") or {}).get("ReservedConcurrentExecutions", -1),
        "codeSha256": held["CodeSha256"],
        "sourceCodeHash": prior.get("sourceCodeHash", uploaded),
        "sourceCodeSize": held["CodeSize"],
        "lastModified": held["LastModified"],
        "invokeArn": _invoke_arn(aws, arn, "2015-03-31", "invocations"),
        "responseStreamingInvokeArn": _invoke_arn(aws, arn, "2021-11-15", "response-streaming-invocations"),
        "version": latest["Version"],
        "qualifiedArn": latest["FunctionArn"],
        "qualifiedInvokeArn": _invoke_arn(aws, latest["FunctionArn"], "2015-03-31", "invocations"),
        "tags": answer.get("Tags", {}),
    }


def _latest(aws: Aws, id: str) -> Mapping[str, Any]:
    """The newest version, which is $LATEST until one is published. Its ARN contains the version."""
    pages = aws.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=id)
    newest: Mapping[str, Any] = [version for page in pages for version in page["Versions"]][-1]
    suffix = f":{newest['Version']}"
    arn = newest["FunctionArn"]
    return dict(newest) | {"FunctionArn": arn if arn.endswith(suffix) else arn + suffix}


def _variables(held: Mapping[str, Any]) -> Any:
    return (held.get("Environment") or {}).get("Variables")


def _dead_letter(held: Mapping[str, Any]) -> State | None:
    target = (held.get("DeadLetterConfig") or {}).get("TargetArn")
    return {"targetArn": target} if target else None


def _invoke_arn(aws: Aws, arn: str, version: str, action: str) -> str:
    return f"arn:{aws.partition}:apigateway:{aws.region}:lambda:path/{version}/functions/{arn}/{action}"
