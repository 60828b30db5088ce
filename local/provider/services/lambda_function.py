"""Lambda functions from a .zip file, whose bytes are uploaded unchanged.

The configuration is changed before the code, and a version is published after both, as in the official plugin. Code
that was changed by hand has another `codeSha256`; only a new archive uploads code again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.provider.aws import Aws, Refused
from local.provider.model import AutoName, Change, Created, ListOf, MapOf, ObjectOf, Property, Resource, Scalar, State
from local.provider.rules import Rule, between, is_arn, matches, one_of
from local.provider.services.lambda_state import read, wait

_CONFIGURATION = {
    "deadLetterConfig",
    "description",
    "environment",
    "handler",
    "kmsKeyArn",
    "loggingConfig",
    "memorySize",
    "role",
    "runtime",
    "timeout",
}
_CODE = {"architectures", "code", "sourceCodeHash"}


def _zip(inputs: State) -> bytes:
    code = inputs["code"]
    path = Path(code.path)
    if not code.path or not path.is_file():
        raise Refused(
            f"code: the local stand-in uploads .zip files only, and {code.path or 'an archive without a path'} "
            "is not a file: give pulumi.FileArchive the path of a .zip"
        )
    content = path.read_bytes()
    if not content.startswith(b"PK"):
        raise Refused(f"code: {path} is not a .zip file")
    return content


def _settings(inputs: State) -> dict[str, Any]:
    """The part of the inputs that CreateFunction and UpdateFunctionConfiguration share."""
    logging = inputs.get("loggingConfig")
    target = (inputs.get("deadLetterConfig") or {}).get("targetArn")
    settings: dict[str, Any] = {
        "Role": inputs["role"],
        "Runtime": inputs["runtime"],
        "Handler": inputs["handler"],
        "Timeout": inputs["timeout"],
        "MemorySize": inputs["memorySize"],
        "Description": inputs.get("description", ""),
        "Environment": {"Variables": (inputs.get("environment") or {}).get("variables") or {}},
    }
    settings |= {"DeadLetterConfig": {"TargetArn": target}} if target else {}
    settings |= {"KMSKeyArn": inputs["kmsKeyArn"]} if inputs.get("kmsKeyArn") else {}
    return settings | (
        {"LoggingConfig": {name[0].upper() + name[1:]: v for name, v in logging.items()}} if logging else {}
    )


def _create(aws: Aws, inputs: State) -> Created:
    architectures = inputs.get("architectures")
    aws.client("lambda").create_function(
        FunctionName=inputs["name"],
        Code={"ZipFile": _zip(inputs)},
        PackageType="Zip",
        Publish=inputs["publish"],
        Tags=dict(inputs.get("tags") or {}),
        **_settings(inputs),
        **({"Architectures": architectures} if architectures else {}),
    )
    return Created(inputs["name"])


def _complete(aws: Aws, id: str, inputs: State) -> None:
    wait(aws, id)
    if inputs["reservedConcurrentExecutions"] >= 0:
        _reserve(aws, id, inputs["reservedConcurrentExecutions"])


def _reserve(aws: Aws, id: str, reserved: int) -> None:
    client = aws.client("lambda")
    if reserved < 0:
        client.delete_function_concurrency(FunctionName=id)
    else:
        client.put_function_concurrency(FunctionName=id, ReservedConcurrentExecutions=reserved)


def _update(aws: Aws, change: Change) -> State:
    client, new = aws.client("lambda"), change.new
    configured = change.changed & _CONFIGURATION
    if configured:
        settings = _settings(new)
        settings |= {"DeadLetterConfig": {"TargetArn": ""}} if not new.get("deadLetterConfig") else {}
        settings |= {"KMSKeyArn": ""} if not new.get("kmsKeyArn") else {}
        client.update_function_configuration(FunctionName=change.id, **settings)
        wait(aws, change.id)
    coded = change.changed & _CODE
    if coded:
        architectures = new.get("architectures")
        client.update_function_code(
            FunctionName=change.id,
            ZipFile=_zip(new),
            **({"Architectures": architectures} if architectures else {}),
        )
        wait(aws, change.id)
    if "reservedConcurrentExecutions" in change.changed:
        _reserve(aws, change.id, new["reservedConcurrentExecutions"])
    if new["publish"] and (configured or coded or "publish" in change.changed):
        client.publish_version(FunctionName=change.id)
    return {}


def _delete(aws: Aws, id: str, state: State) -> None:
    if not state.get("skipDestroy"):
        aws.client("lambda").delete_function(FunctionName=id)


def _retag(aws: Aws, id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    client = aws.client("lambda")
    arn = f"arn:{aws.partition}:lambda:{aws.region}:{aws.account_id}:function:{id}"
    if remove:
        client.untag_resource(Resource=arn, TagKeys=list(remove))
    if add:
        client.tag_resource(Resource=arn, Tags=dict(add))


def _volatile(inputs: State, changed: frozenset[str]) -> frozenset[str]:
    anew: set[str] = set()
    if changed & (_CONFIGURATION | _CODE):
        anew |= {"lastModified"}
        anew |= {"version", "qualifiedArn", "qualifiedInvokeArn"} if inputs["publish"] else set()
    return frozenset(anew | ({"codeSha256", "sourceCodeSize", "sourceCodeHash"} if changed & _CODE else set()))


def _at_least(low: int) -> Rule:
    return lambda value: None if value >= low else f"{value} is less than {low}"


_LOGGING = ObjectOf(
    "aws:lambda/FunctionLoggingConfig:FunctionLoggingConfig",
    {
        "logFormat": Property(Scalar.STRING, required=True, rule=one_of(("JSON", "Text"))),
        "applicationLogLevel": Property(Scalar.STRING, computed=True),
        "systemLogLevel": Property(Scalar.STRING, computed=True),
        "logGroup": Property(Scalar.STRING, computed=True),
    },
)
_ENVIRONMENT = ObjectOf(
    "aws:lambda/FunctionEnvironment:FunctionEnvironment", {"variables": Property(MapOf(Scalar.STRING))}
)
_STORAGE = ObjectOf("aws:lambda/FunctionEphemeralStorage:FunctionEphemeralStorage", {"size": Property(Scalar.INTEGER)})
_TRACING = ObjectOf("aws:lambda/FunctionTracingConfig:FunctionTracingConfig", {"mode": Property(Scalar.STRING)})
_DEAD_LETTER = ObjectOf(
    "aws:lambda/FunctionDeadLetterConfig:FunctionDeadLetterConfig",
    {"targetArn": Property(Scalar.STRING, required=True, rule=is_arn)},
)

RESOURCES = (
    Resource(
        type="aws:lambda/function:Function",
        inputs={
            "name": Property(
                Scalar.STRING,
                replaces=True,
                rule=matches(r"[a-zA-Z0-9_-]{1,64}", "a function's name: up to 64 of a-z A-Z 0-9 _ -"),
            ),
            "role": Property(Scalar.STRING, required=True, rule=is_arn),
            "code": Property(Scalar.ARCHIVE, required=True, read_back=False),
            "handler": Property(Scalar.STRING, required=True),
            "runtime": Property(Scalar.STRING, required=True),
            "timeout": Property(Scalar.INTEGER, default=3, rule=between(1, 900)),
            "memorySize": Property(Scalar.INTEGER, default=128, rule=between(128, 10240)),
            "architectures": Property(ListOf(Scalar.STRING), computed=True),
            "environment": Property(_ENVIRONMENT),
            "deadLetterConfig": Property(_DEAD_LETTER),
            "reservedConcurrentExecutions": Property(Scalar.INTEGER, default=-1, rule=_at_least(-1)),
            "description": Property(Scalar.STRING),
            "loggingConfig": Property(_LOGGING, computed=True),
            "kmsKeyArn": Property(Scalar.STRING, rule=is_arn),
            "publish": Property(Scalar.BOOLEAN, default=False, read_back=False),
            "skipDestroy": Property(Scalar.BOOLEAN, default=False, read_back=False),
            "sourceCodeHash": Property(Scalar.STRING, computed=True, read_back=False),
        },
        outputs={
            "arn": Scalar.STRING,
            "codeSha256": Scalar.STRING,
            "invokeArn": Scalar.STRING,
            "lastModified": Scalar.STRING,
            "packageType": Scalar.STRING,
            "qualifiedArn": Scalar.STRING,
            "qualifiedInvokeArn": Scalar.STRING,
            "responseStreamingInvokeArn": Scalar.STRING,
            "ephemeralStorage": _STORAGE,
            "tracingConfig": _TRACING,
            "signingJobArn": Scalar.STRING,
            "signingProfileVersionArn": Scalar.STRING,
            "sourceCodeSize": Scalar.INTEGER,
            "version": Scalar.STRING,
        },
        create=_create,
        complete=_complete,
        read=read,
        update=_update,
        delete=_delete,
        retag=_retag,
        autoname=AutoName(longest=64),
        volatile=_volatile,
    ),
)
